"""The checker of what people say besides: messages that join a turn, edits, and answers to questions."""

from dataclasses import replace

import pytest

from tasks.phrases import phrase
from tests.chaos.story import Story, good, rules
from tests.harness.history import Press, Said, Spoken

ONE = "1:10"
NAME = "m000001q-1"
pytestmark = pytest.mark.promise("checker-sees")


@pytest.fixture
def story() -> Story:
    return Story()


def meant(story: Story, **fields: str) -> Said:
    """A message that is an answer, or an edit."""
    said = replace(story.say(ONE), **fields)
    story.history.said[-1] = said
    return said


def turn(story: Story, *said: Said, shown: str) -> None:
    """A turn whose model saw all words, and repeats only the last."""
    call = story.call(*said)
    reply = f"echo: {shown} [n=1]"
    story.history.calls[-1] = replace(call, reply=reply)
    story.commit(story.history.calls[-1], *said)
    story.deliver(ONE, reply)


def test_a_message_that_joined_a_turn_is_answered_with_it(story: Story) -> None:
    first, second = story.say(ONE), story.say(ONE)
    turn(story, first, second, shown=second.word)
    assert good(story).joined == 1
    story.exchange(ONE)
    good(story)


def test_a_message_that_joined_a_turn_and_was_answered_again_is_found(story: Story) -> None:
    first, second = story.say(ONE), story.say(ONE)
    turn(story, first, second, shown=second.word)
    turn(story, second, shown=second.word)
    assert "doubled" in rules(story)


def edited(story: Story) -> tuple[Said, Said]:
    first = story.say(ONE)
    return first, meant(story, edits=first.word)


def commit_both(story: Story, first: Said, edit: Said) -> None:
    """The edit waited with its message."""
    call = story.call(edit)
    story.commit(call, first, edit)
    story.deliver(ONE, call.reply)


def test_an_edit_that_waited_with_its_message_stands_in_its_place(story: Story) -> None:
    commit_both(story, *edited(story))
    story.exchange(ONE)
    assert good(story).edits == 1


def test_an_edit_of_an_answered_message_is_one_more(story: Story) -> None:
    first = story.exchange(ONE).asked[0]
    edit = meant(story, edits=first)
    turn(story, edit, shown=edit.word)
    story.history.calls[-1] = replace(
        story.history.calls[-1], spoken=(*story.history.calls[0].spoken, *spoken(story), Spoken("user", edit.word))
    )
    good(story)


def spoken(story: Story) -> tuple[Spoken]:
    return (Spoken("assistant", story.history.calls[0].reply),)


def test_an_edit_that_is_lost_and_old_words_that_are_answered_in_its_place_are_found(story: Story) -> None:
    first, _ = edited(story)
    turn(story, first, shown=first.word)
    assert rules(story) == {"answered"}
    story = Story()
    first, edit = edited(story)
    call = story.call(first)
    story.commit(call, first, edit)
    story.deliver(ONE, call.reply)
    assert rules(story) == {"invented"}


def test_an_edit_that_was_answered_twice_is_found(story: Story) -> None:
    first, edit = edited(story)
    commit_both(story, first, edit)
    turn(story, edit, shown=edit.word)
    assert "doubled" in rules(story)


def test_an_edit_with_the_same_words_needs_no_answer(story: Story) -> None:
    story.exchange(ONE)
    told = story.say(ONE)
    story.history.said.remove(told)
    assert "order" in rules(story)
    story.history.unchanged.add(told.update_id)
    good(story)


def asking(story: Story, *, answer: str, **fields: str) -> None:
    """A tool asks; then a message comes; the tool is told ``answer``."""
    said = story.say(ONE)
    story.step(said, ("asked", NAME))
    wrote = meant(story, **fields) if fields else None
    story.execute("asked", NAME)
    result = f"asked {NAME}: {answer}"
    call = story.step(said, results=(result,), text=f"echo: {said.word} [n=1] tool={result}")
    story.commit(call, said, *([wrote] if wrote else []))
    story.deliver(ONE, call.reply)


def test_a_question_is_answered_by_what_its_person_wrote_or_pressed(story: Story) -> None:
    asking(story, answer="m000002q WORDS:3", answers=NAME)
    assert good(story).steps.asked == 1
    story = Story()
    story.history.presses.append(Press("q", NAME, "left", rightful=True, at=1.0))
    asking(story, answer="left")
    good(story)


@pytest.mark.parametrize(
    ("answer", "fields"),
    [
        ("m000002q", {"answers": "m000001q-2"}),
        ("m000002q", {"answers": ""}),
        ("left", {}),
        ("The person did not answer, and did something else.", {}),
    ],
)
def test_a_question_that_other_words_answer_is_found(story: Story, answer: str, fields: dict[str, str]) -> None:
    asking(story, answer=answer, **fields)
    assert "asked" in rules(story)


def test_a_choice_that_another_person_pressed_is_found(story: Story) -> None:
    story.history.presses.append(Press("q", NAME, "left", rightful=False, at=1.0))
    asking(story, answer="left")
    assert rules(story) == {"asked"}


def test_an_edit_that_waited_in_a_try_that_died_may_be_answered_after_its_message(story: Story) -> None:
    first = story.say(ONE)
    second = story.say(ONE)
    edit = meant(story, edits=first.word)
    story.call(edit, second)
    for said in (first, second, edit):
        call = story.call(said)
        story.commit(call, said)
        story.deliver(ONE, call.reply)
    good(story)


def test_of_two_edits_that_waited_in_a_try_that_died_each_may_be_answered_alone(story: Story) -> None:
    first = story.exchange(ONE).asked[0]
    once = meant(story, edits=first)
    between = story.say(ONE)
    twice = meant(story, edits=once.word)
    story.call(twice, between)
    for said in (once, between, twice):
        call = story.call(said)
        story.commit(call, said)
        story.deliver(ONE, call.reply)
    good(story)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_message_that_dies_takes_the_edits_along_that_waited_with_it(story: Story, times: int) -> None:
    said = [story.say(ONE)]
    for _ in range(times):
        said.append(meant(story, edits=said[-1].word))
    story.commit(story.call(said[-1]), *said)
    story.history.committed[-1] = replace(story.history.committed[-1], texts=(phrase("poison"),))
    story.history.calls.clear()
    story.die(said[0])
    story.deliver(ONE, phrase("poison"))
    assert good(story).dead == 1
