"""The processes of a system under given settings, and the environment of each."""

import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from secrets import token_urlsafe

from ops.environment import PLAYGROUND_BOT, needed
from ops.up.process import Spec
from tasks.bots import BotsReader, ServedBot
from tasks.config.settings import Settings, env_name
from tasks.errors import Misconfigured
from tasks.http.port_holder import holder_of

HOST = "127.0.0.1"
BOT, CARDS, CONSOLE, FLOWER, PLAYGROUND = "bot", "cards", "console", "flower", "playground"
KILLED_AFTER_S = 10.0
"""How much longer than its drain a worker may take until it is killed."""


def free_port() -> int:
    """A free port on 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def chosen_port(field_name: str, port: int) -> int:
    """``port`` if it is free.

    Raises:
        Misconfigured: it is taken.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            taken = f"port {port} on {HOST} is taken{holder_of(port)}"
            raise Misconfigured(f"{env_name(field_name)}: {taken}; set another one") from None
    return port


@dataclass(frozen=True, slots=True)
class Plan:
    """A system to start."""

    settings: Settings
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    """All variables; each process gets the part that it needs."""
    playground_port: int | None = None
    """None: no playground."""
    flower_port: int | None = None
    """None: no Flower."""
    console_port: int | None = None
    """None: no console."""
    playground_key: str = ""
    bots: tuple[ServedBot, ...] = ()
    """Those of COHORT_BOTS; empty: there is one."""

    @property
    def playground_url(self) -> str | None:
        return f"http://{HOST}:{self.playground_port}" if self.playground_port else None

    @property
    def page_url(self) -> str | None:
        """The address of the chat page, with the key that opens it."""
        return f"{self.playground_url}/?key={self.playground_key}" if self.playground_port else None

    @property
    def flower_url(self) -> str | None:
        return f"http://{HOST}:{self.flower_port}" if self.flower_port else None

    @property
    def console_url(self) -> str | None:
        return f"http://{HOST}:{self.console_port}" if self.console_port else None

    def worker(self, number: int) -> Spec:
        """The worker of that number. It has the drain grace to finish or hand back its turns; then it is killed."""
        grace = self.settings.drain_grace.total_seconds() + KILLED_AFTER_S
        env = needed("worker", self.env)
        command, forked = module("workers"), ("-m", "workers")
        return Spec(name=f"worker-{number}", command=command, forked=forked, env=env, grace=grace, member=True)

    def own(self, number: int) -> Spec:
        """A session's own process, in the place of that number. Whose it is stands in its environment."""
        return replace(self.worker(number), name=f"own-{number}", member=False)

    @property
    def reloads(self) -> bool:
        """Whether changed cards are read as they are saved. A bot that people use gets them by its operator's word."""
        wanted = self.settings.cards_reload
        return wanted == "on" or (wanted == "auto" and self.playground_port is not None)

    def reload(self) -> Spec:
        """The command that has changed cards read; it says what is wrong with them."""
        return Spec(name=CARDS, command=module("ops.entry", "cards", "reload"), env=self.env, once=True, vital=False)

    def playground(self) -> Spec | None:
        """The playground, if it is wanted. It stops after the bot and the workers, which call it."""
        if not self.playground_port:
            return None
        env = needed("playground", {**self.env, "COHORT_PLAYGROUND_KEY": self.playground_key})
        return Spec(name=PLAYGROUND, command=module("playground"), env=env, stage=1)

    def bot(self) -> Spec:
        """The bot."""
        return Spec(name=BOT, command=module("bot"), env=needed("bot", self.env))

    def one_of(self, bot: ServedBot) -> Spec:
        """One of several bots. What is wrong with it stops no other one."""
        env = needed("bot", {**self.env, **bot.variables})
        return Spec(name=f"{BOT}-{bot.name}", command=module("bot"), env=env, vital=False)

    def pages(self) -> list[Spec]:
        """Console and Flower, as far as they are wanted."""
        specs: list[Spec] = []
        if self.console_port:
            env = needed(
                "console", {**self.env, "CONSOLE_LINKS": f"Flower={self.flower_url}" if self.flower_url else ""}
            )
            specs.append(Spec(name=CONSOLE, command=console_command(), env=env, echo=False, vital=False, grace=5))
        if self.flower_port:
            command, env = flower_command(self.flower_port), needed("flower", self.env)
            specs.append(Spec(name=FLOWER, command=command, env=env, echo=False, vital=False, grace=5))
        return specs


def module(name: str, *arguments: str) -> tuple[str, ...]:
    """The command that starts a module of ours. ``-P`` keeps the current directory out: its ``bot/`` is not ours."""
    return (sys.executable, "-P", "-m", name, *arguments)


def flower_command(port: int, address: str = HOST) -> tuple[str, ...]:
    """The command that starts Flower. It keeps 10,000 tasks in memory at most, and a worker that ended for a minute."""
    limits = ("--max_tasks=10000", "--purge_offline_workers=60")
    return module("ops.up.flower", f"--address={address}", f"--port={port}", *limits, "--logging=warning")


def console_command() -> tuple[str, ...]:
    """The command that starts the console."""
    return module("ops.web")


def make_plan(settings: Settings, environ: Mapping[str, str], extra: Mapping[str, str]) -> Plan:
    """Plan the system.

    Args:
        settings: The operator's settings.
        environ: All variables, ``.env`` included.
        extra: Variables that follow from earlier decisions: the store's URL, the model.

    Raises:
        Misconfigured: a port is taken, or there is a Bot API server but no token for it.
    """
    env = {**environ, **extra}
    playground_port = None
    bots = BotsReader(settings, environ)()
    if settings.telegram_bot_token is None and not bots:
        if settings.telegram_base_url and environ.get("TELEGRAM_BASE_URL"):
            raise Misconfigured("TELEGRAM_BASE_URL is set, but TELEGRAM_BOT_TOKEN is not: set both, or neither")
        port = settings.playground_port
        playground_port = chosen_port("playground_port", port) if port else free_port()
        env |= {
            "TELEGRAM_BOT_TOKEN": f"{PLAYGROUND_BOT}:{token_urlsafe(24)}",
            "TELEGRAM_BASE_URL": f"http://{HOST}:{playground_port}",
            "COHORT_PLAYGROUND_PORT": str(playground_port),
            "COHORT_ACCESS": settings.access or "open",
            "COHORT_APPROVE": settings.approve or "listed",
        }
    flower_port = chosen_port("flower_port", settings.flower_port) if settings.flower_port else None
    console_port = chosen_port("console_port", settings.console_port) if settings.console_port else None
    key = settings.playground_key.get_secret_value() if settings.playground_key else token_urlsafe(12)
    return Plan(settings, env, playground_port, flower_port, console_port, key, bots)
