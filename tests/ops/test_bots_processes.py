"""The bots' processes of `cohort up`, with small children in their place."""

from pathlib import Path

import pytest

from ops.up.bots import BotProcesses
from ops.up.plan import Plan
from ops.up.process import Spec
from tasks.bots import ServedBot
from tasks.config.settings import load
from tests.harness.supervising import ConsoleSpy, supervising
from tests.ops.conftest import PATIENT, script

REFUSES = "if os.environ['TOKEN'].endswith('revoked'):\n    sys.exit(2)\n"


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    (tmp_path / "bots.yaml").write_text("bots:\n  one: {token: $ONE}\n  two: {token: $TWO}\n")
    path = tmp_path / "tokens"
    path.write_text("ONE=101:good\nTWO=202:revoked\n")
    return path


class SmallPlan(Plan):
    """Its bots are small children that are given their tokens."""

    def one_of(self, bot: ServedBot) -> Spec:
        place = self.settings.bots_env.parent
        return script(place, f"bot-{bot.name}", REFUSES + PATIENT, env={"TOKEN": bot.token}, vital=False)


def renew(tokens: Path) -> None:
    tokens.write_text("ONE=101:good\nTWO=202:new\n")


@pytest.mark.promise("bots-live")
async def test_a_bot_whose_token_was_revoked_starts_with_the_new_one_at_once_and_the_others_stay(
    console: ConsoleSpy, tokens: Path
) -> None:
    given = {"COHORT_BOTS": str(tokens.with_name("bots.yaml")), "COHORT_BOTS_ENV": str(tokens)}
    async with supervising(console) as supervisor:
        bots = BotProcesses(supervisor, SmallPlan(load(given)))
        one = supervisor.processes["bot-one"]
        await console.hear("bot-one: ready")
        await console.hear("bot-two ended with status 2", "starting it again in")
        renew(tokens)
        assert bots._watched.look()
        await bots._apply()
        await console.hear("bot-two: ready")
        assert "bot-two: changed" in console.lines
        assert supervisor.processes["bot-one"] is one
        assert one.starts == 1
        await supervisor.stop()
