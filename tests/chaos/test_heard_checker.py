"""The checker of voice messages, both ways: what was heard is shown to its own chat, else its person knows."""

from dataclasses import replace

import pytest

from tests.chaos.story import Story, good, rules
from tests.harness.heard import UNHEARD
from tests.harness.history import Said, Spoken
from tests.support.audio import spoken
from tests.support.script import mark

ONE, OTHER = "1:10", "1:20"
pytestmark = pytest.mark.promise("checker-sees")


def speak(story: Story, session: str = ONE) -> Said:
    said = story.say(session)
    voice = mark(spoken(said.word).encode())
    story.history.said[-1] = said = replace(said, files=(voice,), voice=voice)
    return said


def answer(story: Story, said: Said, *, read: bool, above: str = "", below: str = "") -> None:
    """It is answered by a model that read its words or not, with a quote above the answer and a line below it."""
    call = story.call(said)
    words = f"{said.word} {said.voice}" if read else said.word
    story.history.calls[-1] = call = replace(
        call, spoken=(*call.spoken[:-1], Spoken("user", words)), reply=f"echo: {words} [n={len(call.spoken) // 2 + 1}]"
    )
    committed = story.commit(call, said)
    shown = "\n".join(text for text in (above, call.reply, below) if text)
    story.history.committed[-1] = replace(committed, texts=(shown,))
    story.deliver(said.session, shown)


@pytest.mark.parametrize("line", UNHEARD)
def test_what_was_heard_is_shown_and_what_was_not_is_told(line: str) -> None:
    story = Story()
    said = speak(story)
    answer(story, said, read=True, above=spoken(said.word))
    answer(story, speak(story), read=False, below=line)
    found = good(story)
    assert (found.heard, found.unheard) == (1, 1)


@pytest.mark.parametrize("read", [True, False])
def test_a_voice_message_of_which_its_person_reads_nothing_is_found(*, read: bool) -> None:
    story = Story()
    answer(story, speak(story), read=read)
    assert rules(story) == {"heard"}


def test_words_that_are_shown_and_no_model_read_are_found() -> None:
    story = Story()
    said = speak(story)
    answer(story, said, read=False, above=spoken(said.word), below=UNHEARD[0])
    assert rules(story) == {"heard"}


def test_words_that_another_chat_heard_are_found() -> None:
    story = Story()
    theirs = speak(story, OTHER)
    answer(story, theirs, read=True, above=spoken(theirs.word))
    said = speak(story)
    answer(story, said, read=True, above=f"{spoken(theirs.word)}\n{spoken(said.word)}")
    assert rules(story) == {"foreign"}


def test_an_answer_that_lost_the_line_about_the_recording_is_found() -> None:
    story = Story()
    answer(story, speak(story), read=False, below=UNHEARD[0])
    (bubble,) = story.history.bubbles
    story.history.bubbles[0] = replace(bubble, text=bubble.text.removesuffix(UNHEARD[0]))
    assert rules(story) == {"heard"}


def test_a_voice_message_without_an_answer_is_found() -> None:
    story = Story()
    speak(story)
    assert rules(story) == {"answered"}


def test_a_model_that_reads_the_words_of_another_message_is_found() -> None:
    story = Story()
    said = speak(story)
    theirs = mark(spoken("m000099q").encode())
    story.history.said[-1] = said = replace(said, voice=theirs)
    answer(story, said, read=True, above=spoken(said.word))
    assert rules(story) == {"file"}
