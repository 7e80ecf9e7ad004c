"""A turn that is tried again: what its first try showed stays until as much is said again."""

import pytest

from botapi.split import Part
from tests.telegram.conftest import World
from tests.telegram.stage import stage_with
from workers.telegram.growing_text import GrowingText
from workers.telegram.render import GOES_ON, growing, with_lines, without_lines


@pytest.mark.promise("stop-keeps")
@pytest.mark.parametrize(("stream", "method"), [("edit", "editMessageText"), ("draft", "sendMessageDraft")])
async def test_it_stays_with_the_line_about_the_next_try_below_it(world: World, stream: str, method: str) -> None:
    stage, session = stage_with(world, stream=stream), await world.session()
    async with stage.live(session) as answer:
        answer.text("Once upon a time")
        await stage.called(session, "sendMessage" if stream == "edit" else method)
        answer.begin_again()
        answer.phase("Another try")
        await stage.called(session, method, 1 if stream == "edit" else 2)
        answer.phase("")
        answer.more("Once")
        answer.more(" upon a **time** there")
        await stage.called(session, method, 2 if stream == "edit" else 3)
    shown = [entry["params"]["text"] for entry in await world.pg.journal(chat=session.chat, method=method)]
    assert all(text.startswith("Once upon a time") for text in shown), shown
    assert "Once upon a time\n\n→ Another try" in shown
    assert shown[-1] == "Once upon a time there"


def test_the_longest_of_all_tries_stays() -> None:
    text = GrowingText(100)
    text.more("Once upon")
    text.begin_again("thought")
    text.more("On")
    text.begin_again("")
    assert text.shown("now") == ("Once upon", "thought")
    text.more("Once again")
    assert text.shown("now") == ("Once again", "now")
    text.begin()
    assert text.shown("now") == ("", "now"), "what was taken back is not held"


@pytest.mark.parametrize("words", ["", "Some **words**", "> a quote", "Words\n\n> → a quote of arrows\n\nend"])
@pytest.mark.parametrize("lines", [[], ["→ Send mail · 3 s"], ["2 more steps", "✓ Look up", "→ Send"]])
def test_the_lines_about_a_turn_are_no_words_of_its_answer(words: str, lines: list[str]) -> None:
    parts = growing(words)
    shown = with_lines(parts, lines) or [Part("")]
    assert without_lines(shown[-1]) == (parts[0] if parts else Part(""))
    assert without_lines(Part(GOES_ON)) == Part("")
