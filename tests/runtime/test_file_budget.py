"""Files have a budget of bytes: a flood of them becomes names, and other chats go on."""

import asyncio
import base64
import os
from pathlib import Path

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.envelope import Media, Sender
from tests.runtime.support import Configure, Open, Screen, ask, inbound, until
from tests.runtime.test_media import Shelf
from tests.support.model import Model
from workers.byte_budget import Weights
from workers.runtime.conversation import file_budget
from workers.runtime.streams import bodies

MIB = 2**20


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """Sixty pictures of 1 MiB."""
    for number in range(60):
        (tmp_path / f"p{number}").write_bytes(b"\x89PNG" + bytes(MIB - 4))
    return Shelf(tmp_path)


@pytest.fixture
def seeing(configure: Configure, model: Model) -> dict[str, str]:
    configure({"openai": {"base_url": f"{model.url}/v1", "api_key": "x"}})
    return {"COHORT_MODEL": "openai.gpt-4.1-mini", "COHORT_MEDIA_MAX_MIB": "4", "COHORT_LANES": "8"}


def picture(number: int, size: int | None = MIB) -> Media:
    return Media(
        kind="document", file_id=f"p{number}", unique_id=f"u{number}", name=f"p{number}.png", mime="image/png",
        size_bytes=size,
    )  # fmt: skip


@pytest.mark.promise("bytes-bounded")
@pytest.mark.parametrize("size", [MIB, None, 1], ids=["told", "untold", "told wrong"])
async def test_of_48_pictures_as_many_are_opened_as_there_is_room_for_and_the_rest_are_named(
    runtime: Open, model: Model, shelf: Shelf, seeing: dict[str, str], size: int | None
) -> None:
    messages = [inbound(1, f"see {number}", media=(picture(number, size),)) for number in range(48)]
    async with runtime(media=shelf, **seeing) as engine:
        result = await engine.run(ask(1, *messages), Screen())
    seen = model.journal[0].messages[1]["text"]
    most = 1 if size == 1 else 4
    assert seen.count("<image_url>") <= most
    assert seen.count('name="p') == 48, "each has its name"
    assert len([notice for notice in result.notices if "I can open" in notice]) == 1
    assert len(shelf.fetched) <= 10


async def test_a_file_that_alone_is_too_large_is_said_so(runtime: Open, shelf: Shelf, seeing: dict[str, str]) -> None:
    async with runtime(media=shelf, **seeing) as engine:
        stated = await engine.run(ask(1, inbound(1, "see", media=(picture(0, 4 * MIB + 1),))), Screen())
    assert stated.notices == ("This file is too large (5 MB). I can read files of up to 4 MB.",)
    assert shelf.fetched == []


@pytest.mark.promise("retry-undo")
async def test_a_retry_opens_all_files_of_its_message(
    runtime: Open, model: Model, shelf: Shelf, seeing: dict[str, str]
) -> None:
    album = inbound(1, "see", media=tuple(picture(number, 9) for number in range(6)))
    for number in range(6):
        (shelf.directory / f"p{number}").write_bytes(b"\x89PNG" + bytes(5))
    async with runtime(media=shelf, **seeing) as engine:
        done = await engine.run(ask(1, album), Screen())
        again = await engine.run(ask(1, inbound(1, "", kind="retry"), history=done.history), Screen())
    assert [entry.messages[1]["text"].count("<image_url>") for entry in model.journal] == [6, 6]
    assert again.notices == ()


async def test_files_of_the_conversation_count_and_the_newest_comes_first(
    runtime: Open, model: Model, shelf: Shelf, seeing: dict[str, str]
) -> None:
    async with runtime(media=shelf, **seeing) as engine:
        history = None
        for number in range(4):
            message = inbound(1, f"see {number}", media=(picture(number),))
            history = (await engine.run(ask(1, message, history=history), Screen())).history
        await engine.run(ask(1, inbound(1, "now", media=(picture(9), picture(10))), history=history), Screen())
    *past, now = (message["text"] for message in model.journal[-1].messages if message["role"] == "user")
    assert now.count("<image_url>") == 2
    assert [text.count("<image_url>") for text in past] == [0, 0, 1, 1]


async def test_turns_with_large_files_run_one_after_another_and_others_beside_them(
    runtime: Open, model: Model, shelf: Shelf, seeing: dict[str, str]
) -> None:
    async with runtime(media=shelf, **seeing) as engine, asyncio.TaskGroup() as group:
        for chat in range(5):
            message = inbound(chat, "HOLD:gate", media=(picture(0), picture(1), picture(2)))
            group.create_task(engine.run(ask(chat, message), Screen()), name=f"large {chat}")
        await model.held("gate")
        small = inbound(77, "small", media=(picture(3),))
        assert (await engine.run(ask(77, small), Screen())).text.startswith("echo: small")
        assert (await engine.run(ask(78, "words"), Screen())).text == "echo: words [n=1]"
        assert engine.busy == 1, "the other large ones hold no lane"
        model.release("gate")
    assert len(model.journal) == 7


async def test_one_persons_pictures_in_many_chats_do_not_hold_up_anothers(
    runtime: Open, model: Model, shelf: Shelf, seeing: dict[str, str]
) -> None:
    mallory = Sender(id=9, name="Mallory")
    async with runtime(media=shelf, **seeing) as engine, asyncio.TaskGroup() as group:
        for chat in range(20):
            message = inbound(chat, "HOLD:gate", media=(picture(0),), sender=mallory)
            group.create_task(engine.run(ask(chat, message), Screen()), name=f"one of many {chat}")
        await model.held("gate", 6)
        small = inbound(77, "small", media=(picture(3),), sender=Sender(id=1, name="Alice"))
        async with asyncio.timeout(60):
            assert (await engine.run(ask(77, small), Screen())).text.startswith("echo: small")
        model.release("gate")


async def test_who_waits_for_room_is_served_in_turn_by_party() -> None:
    weights, order = Weights(10), []

    async def holder(name: str, weight: int) -> None:
        async with weights.hold(weight, (name,)):
            order.append(name)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for name in ("a", "a", "a", "b", "b", "c"):
            group.create_task(holder(name, 10), name=name)
    assert order == ["a", "b", "c", "a", "b", "a"]


@given(st.integers(0, 3 * 10**6))
def test_a_file_is_encoded_in_pieces_as_it_would_be_at_once(
    tmp_path_factory: pytest.TempPathFactory, size: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "file"
    path.write_bytes(os.urandom(size))
    assert file_budget.encoded(path) == base64.b64encode(path.read_bytes()).decode()


async def test_a_large_body_goes_out_in_slices_and_is_forgotten() -> None:
    body = os.urandom(MIB + 7)
    request = httpx2.Request("POST", "http://x/", content=body)
    with bodies.sliced(request):
        slices = [piece async for piece in request.stream]
    assert b"".join(slices) == body
    assert max(map(len, slices)) == 2**17
    assert [piece async for piece in request.stream] == []
    assert request.headers["content-length"] == str(len(body))


@given(st.lists(st.tuples(st.integers(0, 15), st.booleans()), max_size=12))
async def test_no_more_is_held_than_may_be_in_whatever_order_turns_leave(wanted: list[tuple[int, bool]]) -> None:
    weights, held, most = Weights(10), 0, 0

    async def holder(weight: int) -> None:
        nonlocal held, most
        async with weights.hold(weight):
            held += min(weight, 10)
            most = max(most, held)
            await asyncio.sleep(0)
            held -= min(weight, 10)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(holder(weight), name="holder") for weight, _ in wanted]
        await asyncio.sleep(0)
        for task, (_, leaves) in zip(tasks, wanted, strict=True):
            if leaves and held == 0:
                task.cancel()
    await until(lambda: weights.held == 0)
    assert most <= 10
