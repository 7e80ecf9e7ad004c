"""`cohort up` as an operator starts it, with the mock model behind it."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ops.home import Home
from tests.harness.processes import Process
from tests.harness.product import CARD, CONFIG
from tests.support.ports import free_port

AUTH = ("op", "secret-12345")
"""Of Flower and of the console: without it both only show."""


@dataclass(frozen=True)
class Up:
    """Where its pages are."""

    process: Process
    home: Path
    environ: dict[str, str]
    playground: str
    """With its key."""
    flower: str
    console: str
    model: str

    def log(self, name: str) -> str:
        """What a process of it has written; its file is made with its first line."""
        path = self.home / "logs" / f"{name}.log"
        return path.read_text() if path.exists() else ""


@contextmanager
def running(home: Path, **more: str) -> Iterator[Up]:
    """The system, inside this block."""
    cards, config = home / "cards", home / "fastagent.config.yaml"
    cards.mkdir(parents=True)
    (cards / "assistant.md").write_text(CARD)
    config.write_text(CONFIG)
    with ExitStack() as stack:
        mock = stack.enter_context(Process("model", ["-m", "tests.support.model", "--port", "0"], {}))
        model = json.loads(mock.wait_line('"url"'))["url"]
        environ = {
            "COHORT_HOME": str(home / "state"),
            "COHORT_CONFIG": str(config),
            "COHORT_CARDS": str(cards),
            "COHORT_MODEL": "generic.mock",
            "COHORT_ACCESS": "open",
            "COHORT_WORKERS": "2",
            "COHORT_INLINE": "1",
            "COHORT_GUESTS": "1",
            "COHORT_PLAYGROUND_PORT": "0",
            "COHORT_CONSOLE_PORT": str(free_port()),
            "COHORT_CONSOLE_AUTH": ":".join(AUTH),
            "FLOWER_PORT": str(free_port()),
            "FLOWER_BASIC_AUTH": ":".join(AUTH),
            "GENERIC_API_KEY": "none",
            "GENERIC_BASE_URL": f"{model}/v1",
            "NO_PROXY": "127.0.0.1",
            **more,
        }
        process = stack.enter_context(Process("up", ["-m", "ops.entry", "up"], environ))
        process.wait_line("TELEGRAM_BOT_TOKEN=")
        found = Home(home / "state").running()
        assert found is not None
        assert found.playground_url
        assert found.flower_url
        assert found.console_url
        yield Up(process, home / "state", environ, found.playground_url, found.flower_url, found.console_url, model)
