"""The checker of files, both ways: each comes whole and once, and its turn's model sees what a person sent."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.story import Story, good, rules
from tests.harness.bodies import body_of, mark_of
from tests.harness.checker import Verdict, check
from tests.harness.counters import call
from tests.harness.history import Bubble, Spoken
from tests.harness.scene import Scene, scene
from tests.support.script import mark

ONE = "1:10"
NAME = "m000001q-1"
TEXT, PHOTO = f"{NAME}.txt", f"{NAME}.png"
LARGE = 70_000
"""Bytes that do not stand in a reply."""
pytestmark = pytest.mark.promise("checker-sees")


@pytest.fixture
def story() -> Story:
    return Story()


def mark_in_chat(name: str) -> str:
    return mark_of(body_of(name, 10))


def attached(story: Story, *times: float, session: str = ONE, name: str = TEXT) -> None:
    """A tool sends a file; it comes at these times."""
    said = story.say(ONE)
    story.step(said, ("attaching", NAME))
    story.execute("attaching", NAME, sent=((name, mark_in_chat(name)),))
    result = f"counted {NAME} [sent to the chat: {name}]"
    call = story.step(said, results=(result,), text=f"echo: {said.word} [n=1] tool={result}")
    story.commit(call, said)
    story.deliver(ONE, call.reply)
    for place, at in enumerate(times):
        comes(story, 100 + place, at, session=session, name=name)


def comes(story: Story, number: int, at: float, *, session: str = ONE, name: str = TEXT, mark: str = "") -> None:
    held = mark or mark_in_chat(name)
    shown = held if name == PHOTO else name
    story.history.bubbles.append(Bubble(session, int(session.split(":")[1]), number, "", shown, at, held))


@pytest.mark.parametrize("name", [TEXT, PHOTO])
def test_a_file_comes_once_and_twice_only_where_a_worker_died(story: Story, name: str) -> None:
    attached(story, 8.0, name=name)
    assert good(story).files == 1
    comes(story, 200, 9.0, name=name)
    assert rules(story) == {"file"}
    story.fault("kill-worker", 7)
    good(story)


@pytest.mark.parametrize("name", [TEXT, PHOTO])
def test_a_file_comes_again_where_its_worker_did_not_hear_that_it_came(story: Story, name: str) -> None:
    attached(story, 8.0, 9.0, 10.0, name=name)
    assert rules(story) == {"file"}
    first, second, third = (bubble.message_id for bubble in story.history.bubbles if bubble.mark)
    chat = int(ONE.split(":")[1])
    story.history.unheard = {(chat, first), (chat, third)}
    assert rules(story) == {"file"}
    story.history.unheard = {(chat, first), (chat, second)}
    good(story)


@pytest.mark.parametrize(("times", "session"), [((), ONE), ((8.0,), "1:20")])
@pytest.mark.parametrize("name", [TEXT, PHOTO])
def test_a_file_that_never_came_and_one_in_another_chat_are_found(
    story: Story, times: tuple[float, ...], session: str, name: str
) -> None:
    attached(story, *times, session=session, name=name)
    assert rules(story) == {"file"}


@pytest.mark.parametrize("name", [TEXT, PHOTO])
def test_a_file_that_holds_something_else_is_found(story: Story, name: str) -> None:
    attached(story, name=name)
    comes(story, 100, 8.0, name=name, mark="Qother")
    assert rules(story) == {"file"}


def test_a_file_under_another_name_is_found(story: Story) -> None:
    attached(story, 8.0)
    story.history.bubbles[-1] = replace(story.history.bubbles[-1], file=f"{NAME}.doc")
    assert rules(story) == {"file"}


def shown(story: Story, *files: str, seen: str) -> None:
    """A person sends files, and the model sees so much of them."""
    said = story.say(ONE, files=files)
    call = story.call(said)
    told = f"{said.word} {seen}"
    reply = f"echo: {told} [n=1]"
    story.history.calls[-1] = replace(call, spoken=(*call.spoken[:-1], Spoken("user", told)), reply=reply)
    story.commit(story.history.calls[-1], said)
    story.deliver(ONE, reply)


def test_a_file_that_the_model_sees_passes(story: Story) -> None:
    shown(story, mark(b"one"), mark(b"two"), seen=f"{mark(b'two')} {mark(b'one')}")
    story.exchange(ONE)
    assert good(story).seen == 2


@pytest.mark.parametrize("seen", ["", mark(b"two"), f"{mark(b'one')} {mark(b'two')}"])
def test_a_file_that_the_model_does_not_see_and_one_that_was_not_sent_are_found(story: Story, seen: str) -> None:
    shown(story, mark(b"one"), seen=seen)
    assert rules(story) == {"file"}


def an_album(story: Story, *, pause: float = 0.0, together: bool) -> None:
    """A person sends an album of two; the second part is taken in after a pause."""
    one, two = (replace(story.say(ONE, files=(mark(body),)), album="a") for body in (b"one", b"two"))
    story.history.said[-2:] = [one, two]
    last = story.history.accepted[-1]
    story.history.accepted[-1] = replace(last, at=pause)
    for said in [(one, two)] if together else [(one,), (two,)]:
        call = story.call(*said)
        told = " ".join(f"{part.word} {part.files[0]}" for part in said)
        reply = f"echo: {told} [n=1]"
        story.history.calls[-1] = replace(call, spoken=(*call.spoken[:-1], Spoken("user", told)), reply=reply)
        story.commit(story.history.calls[-1], *said)
        story.deliver(ONE, reply)


def test_an_album_that_is_answered_as_one_message_passes(story: Story) -> None:
    an_album(story, together=True)
    assert good(story).albums == 1


def test_an_album_that_was_torn_is_found_unless_it_came_so(story: Story) -> None:
    an_album(story, together=False)
    assert rules(story) == {"file"}
    story.fault("stop-redis")
    good(story)
    story = Story()
    an_album(story, pause=0.8, together=False)
    good(story)


def two_attached(story: Story, *albums: str) -> None:
    names = (f"{NAME}.a.txt", f"{NAME}.b.txt")
    said = story.say(ONE)
    story.step(said, ("attaching", NAME))
    story.execute("attaching", NAME, sent=tuple((name, mark_in_chat(name)) for name in names))
    result = f"counted {NAME} " + " ".join(f"[sent to the chat: {name}]" for name in names)
    call = story.step(said, results=(result,), text=f"echo: {said.word} [n=1] tool={result}")
    story.commit(call, said)
    story.deliver(ONE, call.reply)
    for place, (name, album) in enumerate(zip(names, albums, strict=True)):
        comes(story, 100 + place, 8.0, name=name)
        story.history.bubbles[-1] = replace(story.history.bubbles[-1], album=album)


def test_files_that_a_tool_sent_together_come_as_one_album(story: Story) -> None:
    two_attached(story, "a", "a")
    assert good(story).files == 2


@pytest.mark.parametrize("albums", [("", ""), ("a", ""), ("a", "b")])
def test_an_album_that_came_torn_is_found(story: Story, albums: tuple[str, str]) -> None:
    two_attached(story, *albums)
    assert rules(story) == {"file"}


def refused(story: Story, text: str = f"(I couldn't send the file {TEXT} here.)") -> None:
    attached(story)
    story.history.bubbles.append(Bubble(ONE, 10, 100, text))
    story.history.refused = {10}


def test_a_file_that_telegram_refused_is_named_in_a_line(story: Story) -> None:
    refused(story)
    assert good(story).files == 0
    story = Story()
    refused(story, f"(I couldn't send these files here: {NAME}.b.png and {TEXT}.)")
    good(story)


def test_a_line_about_a_file_for_no_reason_and_one_about_another_file_are_found(story: Story) -> None:
    refused(story)
    story.history.refused.clear()
    assert rules(story) == {"file"}
    story = Story()
    refused(story, f"(I couldn't send the file {NAME}.a.txt here.)")
    assert rules(story) == {"file"}


@pytest.mark.parametrize("way", ["", "refused-untold"])
async def test_a_file_that_telegram_refuses_is_told_and_one_that_is_dropped_is_found(tmp_path: Path, way: str) -> None:
    async with scene(tmp_path, "--same-ids", tools=True) as stage:
        await stage.start(worker=way)
        chat = await stage.chat()
        for code, description in ((413, "Request Entity Too Large"), (400, "Bad Request: file must be non-empty")):
            await stage.people.fault("error", "sendDocument", chat=chat, code=code, description=description)
            number = len(stage.history.said) + 1
            ordered = call("attaching", f"m{number:06d}q-1", files=f"txt:{LARGE}")
            await stage.answered(chat, await stage.say(chat, ordered))
        found = await verdict(stage)
    assert rules_of(found) == ({"file"} if way else set())


async def albums_both_ways(stage: Scene) -> None:
    """A person sends an album and is sent one."""
    chat = await stage.chat()
    *_, last = await stage.send_album(chat, "png", "txt", "png")
    await stage.answered(chat, last)
    ordered = call("attaching", "m000004q-1", files=f"a.txt:10,b.txt:{LARGE}")
    await stage.answered(chat, await stage.say(chat, ordered))


async def test_albums_come_whole_both_ways(tmp_path: Path) -> None:
    found = await judged(tmp_path, albums_both_ways)
    assert [str(violation) for violation in found.violations] == []
    assert (found.files, found.seen, found.albums) == (2, 3, 1)


async def test_albums_that_come_file_by_file_are_found(tmp_path: Path) -> None:
    assert rules_of(await judged(tmp_path, albums_both_ways, worker="albums-sent-singly")) == {"file"}


async def test_albums_of_which_one_part_is_read_are_found(tmp_path: Path) -> None:
    async def album_in(stage: Scene) -> None:
        chat = await stage.chat()
        first, *_ = await stage.send_album(chat, "png", "txt")
        await stage.answered(chat, first)

    assert rules_of(await judged(tmp_path, album_in, worker="albums-cut")) == {"invented"}


async def both_ways(stage: Scene) -> None:
    """A person sends a large picture and a large text, and is sent such."""
    chat = await stage.chat()
    for name, number in (("png", 2), ("txt", 4)):
        await stage.answered(chat, await stage.send(chat, name, LARGE))
        ordered = call("attaching", f"m{number:06d}q-1", files=f"{name}:{LARGE}")
        await stage.answered(chat, await stage.say(chat, ordered))


def rules_of(found: Verdict) -> set[str]:
    return {violation.rule for violation in found.violations}


async def verdict(stage: Scene) -> Verdict:
    await stage.at_rest()
    return check(await stage.told())


async def judged(tmp_path: Path, talk: Callable[[Scene], Awaitable[None]], worker: str = "") -> Verdict:
    """What the checker says of a talk with a model that sees; ``worker``: how it is sabotaged."""
    async with scene(tmp_path, "--same-ids", "--marks", tools=True) as stage:
        stage.harness.seeing()
        await stage.start(worker=worker)
        await talk(stage)
        return await verdict(stage)


async def test_large_files_come_whole_both_ways(tmp_path: Path) -> None:
    found = await judged(tmp_path, both_ways)
    assert [str(violation) for violation in found.violations] == []
    assert (found.files, found.seen) == (2, 2)


@pytest.mark.parametrize("way", ["files-lost", "files-cut", "files-unopened"])
async def test_files_that_are_lost_cut_or_not_opened_are_found(tmp_path: Path, way: str) -> None:
    assert "file" in rules_of(await judged(tmp_path, both_ways, worker=way))
