"""Whatever is asked and answered, what is shown of it fits a message of Telegram (4,096 UTF-16 units)."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from tasks.chats.asking import MOST_CHOICES, GivenAnswer
from tasks.text import utf16, within
from workers import texts
from workers.runtime.asking.forms import Form, fill
from workers.sessions.turns.asking import closed, open_question, put
from workers.steps import PersonsAnswer, Question

MESSAGE = 4096
ASTRAL = "\N{GRINNING FACE}"
words = st.builds(lambda text, times: text * times, st.text(max_size=4) | st.just(ASTRAL), st.integers(0, 5000))
choices = st.lists(words, max_size=MOST_CHOICES).map(tuple)
arguments = st.dictionaries(words, words, max_size=4).map(json.dumps) | words


@example(asked=Question("k", "ask_user", "", text=2_000 * ASTRAL, choices=(2_000 * ASTRAL,)), by=3_000 * ASTRAL)
@example(asked=Question("k", 300 * ASTRAL, json.dumps({"a": 3_000 * ASTRAL}), scope="s"), by=3_000 * ASTRAL)
@given(st.builds(Question, st.just("k"), words, arguments, text=words, choices=choices), words)
def test_a_question_and_what_became_of_it_fit_a_message(asked: Question, by: str) -> None:
    question = open_question(asked)
    verdict = "0" if question.choices else "once"
    given = GivenAnswer(verdict=verdict, words=question.choices[0] if question.choices else "", by=by)
    for reply in (put(question, None), closed(question, texts.answered(question, given, named=True), 5)):
        assert utf16(reply.text) <= MESSAGE
        assert all(entity["offset"] + entity["length"] <= utf16(question.text) for entity in reply.entities)
    assert all(utf16(button.text) <= 100 for row in question.buttons for button in row)


@given(words, st.integers(1, 50))
def test_a_text_is_cut_between_characters(text: str, units: int) -> None:
    cut = within(text, units)
    assert utf16(cut) <= units
    assert cut == text or text.startswith(cut.removesuffix("…"))


async def test_a_forms_field_is_seen_however_much_its_server_says() -> None:
    seen: list[str] = []

    async def ask(text: str, _: tuple[str, ...]) -> PersonsAnswer | None:
        seen.append(open_question(Question("k", "shop", "", text=text)).text)
        return None

    field = {"type": "string", "title": "Size", "description": 9_000 * ASTRAL}
    await fill(Form(9_000 * ASTRAL, {"type": "object", "properties": {"size": field}}, "The server"), ask)
    assert "\n\nSize (optional)\n" in seen[0]
    assert utf16(seen[0]) <= MESSAGE
