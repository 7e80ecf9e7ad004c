"""fast-agent's echo, which answers where no model can: it repeats a person's words, and no line that is for models."""

from pathlib import Path

from tasks.envelope import Sender
from tests.runtime.support import Open, Screen, ask, card, inbound
from tests.support.model import Model


async def test_the_echo_repeats_a_persons_words_and_a_model_is_still_told_who_writes(
    runtime: Open, model: Model, cards: Path
) -> None:
    card(cards, "echo.md", "---\nname: echo\nmodel: passthrough\n---\nYou.\n")
    said = inbound(1, "hello", chat_type="private", sender=Sender(id=1, name="Ann"))
    async with runtime(COHORT_LANES="1") as engine:
        first = await engine.run(ask(1, said, agent="echo"), Screen())
        assert first.text == "hello"
        await engine.run(ask(1, said, agent="assistant", history=first.history), Screen())
    assert model.journal[-1].messages[-1]["text"].startswith('<tg-user name="Ann"')
