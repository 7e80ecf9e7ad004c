"""What the bot says of a session's choice: what answers now, not what was chosen once."""

import pytest

from bot import texts
from bot.answers import Answers
from bot.logins.commands import LoginCommands
from bot.updates.commands import Command
from tasks.config.settings import load
from tasks.envelope import Inbound
from tasks.operator_files.chat_rules import ChatRulesFile
from tasks.phrases import phrase
from tasks.session import SessionKey
from tasks.store.glance import Glance
from tests.bot.stand_ins import HandClock
from tests.conftest import TOKEN


class Chosen:
    """A session that chose so, and workers with one agent."""

    async def glance(self, session: SessionKey) -> Glance:
        return Glance(0, None, None, "poet", "haiku", 0, 0)

    async def usage(self, names: list[str]) -> list[int]:
        return [0 for _ in names]

    async def waiting(self, session: SessionKey) -> list[Inbound]:
        return []

    async def cancel(self, session: SessionKey) -> int:
        return 0

    async def may(self, _inbound: Inbound, _name: str) -> bool:
        return True

    async def presses(self, _inbound: Inbound) -> bool:
        return True

    def refused(self, _inbound: Inbound, _kind: str, _names: object) -> frozenset[str]:
        return frozenset()

    async def agents(self) -> dict[str, str]:
        return {"chef": ""}

    async def model_facts(self) -> dict[str, tuple[str, ...]]:
        return {}


@pytest.mark.promise("choice-gone")
async def test_what_was_chosen_and_is_no_longer_there_is_not_shown_as_what_answers() -> None:
    session = Chosen()
    message = Inbound(session="42:7", update_id=1, at=0.0, chat_type="private")
    for models, shown in (("sonnet", False), ("haiku,sonnet", True)):
        settings = load({"TELEGRAM_BOT_TOKEN": TOKEN, "COHORT_MODELS": models, "COHORT_MODEL": "opus"})
        answers = Answers(
            settings,
            session,
            session,
            HandClock(),
            reminders=session,
            notes=session,
            admission=session,
            logins=LoginCommands(None),
            chats=ChatRulesFile(settings.chats),
            conversations=session,
            rights=session,
            hearing=session,
            taken=session,
        )
        for command in ("status", "model"):
            reply = await answers.answer(Command(command), message)
            assert reply is not None
            line = reply.text.partition("You can choose")[0]
            assert ("haiku" in line, "opus" in line) == (shown, not shown), reply.text
        reply = await answers.answer(Command("agent"), message)
        assert reply is not None
        assert "poet" not in reply.text


class Many(Chosen):
    """Workers with a thousand agents."""

    async def agents(self) -> dict[str, str]:
        return {f"помощник-{number}": "said of it " * 10 for number in range(1000)}


@pytest.mark.parametrize("argument", ["", "nobody"])
async def test_a_thousand_names_to_choose_from_are_a_message_that_telegram_takes(argument: str) -> None:
    session = Many()
    models = ",".join(f"openrouter.maker/model-{number}" for number in range(1000))
    settings = load({"TELEGRAM_BOT_TOKEN": TOKEN, "COHORT_MODELS": models})
    answers = Answers(
        settings,
        session,
        session,
        HandClock(),
        reminders=session,
        notes=session,
        admission=session,
        logins=LoginCommands(None),
        chats=ChatRulesFile(settings.chats),
        conversations=session,
        rights=session,
        hearing=session,
        taken=session,
    )
    for command in ("agent", "model"):
        message = Inbound(session="42:7", update_id=1, at=0.0, chat_type="private")
        reply = await answers.answer(Command(command, argument), message)
        assert reply is not None
        assert len(reply.text) <= 4096
        assert len(reply.buttons) <= 100
        assert " more" in reply.text, "it says that there are others"


@pytest.mark.parametrize(("oldest_s", "named"), [(None, False), (0.0, False), (0.4, False), (1.2, True), (200.0, True)])
def test_status_names_how_long_a_message_waits_from_a_second_on(oldest_s: float | None, *, named: bool) -> None:
    first, *_ = texts.status(waiting=1, oldest_s=oldest_s, working=False, agent="a", model="m").splitlines()
    expected = phrase("waiting-for", count=1, time=texts.span(oldest_s)) if named and oldest_s else None
    assert first == (expected or phrase("waiting", count=1))
