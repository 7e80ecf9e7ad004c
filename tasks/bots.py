"""Which bots a deployment serves: those of ``COHORT_BOTS``, with their tokens and the settings of each."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tasks import environ as environment
from tasks.bots_file import FOR_ONE, BotEntry, read
from tasks.errors import Misconfigured
from tasks.settings import Settings, env_name, load

log = logging.getLogger("cohort.bots")


@dataclass(frozen=True, slots=True)
class ServedBot:
    """A bot with its token."""

    entry: BotEntry
    token: str = field(repr=False)

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def id(self) -> int:
        """The number before the colon of its token."""
        return int(self.token.partition(":")[0])

    @property
    def variables(self) -> dict[str, str]:
        """What its process has in place of the deployment's; a blank one takes that of the deployment away."""
        taken = {env_name(name): "" for name in FOR_ONE} | {"COHORT_WEBHOOK_PORT": "0"}
        agent = {"COHORT_AGENT": self.entry.agents[0]} if self.entry.agents else {}
        return {**taken, **agent, **self.entry.own, "TELEGRAM_BOT_TOKEN": self.token, "COHORT_BOT": self.name}

    def settings(self, common: Settings) -> Settings:
        """The settings of the deployment with this bot's over them."""
        given = {name: value for name, value in self.variables.items() if value}
        # A webhook's secret is the deployment's.
        given |= {"COHORT_WEBHOOK_SECRET": "x" * 16} if "COHORT_WEBHOOK_URL" in given else {}
        own = load(given)
        fields = [name for name in Settings.model_fields if env_name(name) in self.variables]
        return common.model_copy(update={name: getattr(own, name) for name in fields})


def resolved(path: Path, env_file: Path, environ: Mapping[str, str] | None = None) -> tuple[ServedBot, ...]:
    """The bots of the file with their tokens: those of the environment, else those of ``env_file``.

    Raises:
        BadFile: the file cannot be used.
        Misconfigured: a token is missing, is none, or is that of two bots.
    """
    entries = read(path)
    own = environment.said(os.environ if environ is None else environ)
    written = environment.written(env_file) if any(entry.variable not in own for entry in entries) else {}
    bots: dict[int, ServedBot] = {}
    lines: list[str] = []
    for entry in entries:
        token = (own.get(entry.variable) or written.get(entry.variable) or "").strip()
        if not token:
            lines.append(f"{path}: bots.{entry.name}: {entry.variable} is not set here; put the bot's token into it")
            continue
        try:
            load({"TELEGRAM_BOT_TOKEN": token})
        except Misconfigured:
            lines.append(f"{path}: bots.{entry.name}: {entry.variable} does not look like a bot token")
            continue
        bot = ServedBot(entry, token)
        if (other := bots.get(bot.id)) is not None:
            lines.append(f"{path}: bots.{entry.name} and bots.{other.name} are the same bot ({bot.id})")
        bots[bot.id] = bot
    if lines:
        raise Misconfigured("\n".join(lines))
    return tuple(bots.values())


def bots_of(settings: Settings, environ: Mapping[str, str] | None = None) -> tuple[ServedBot, ...]:
    """The bots of a deployment; empty where it has one bot and no file.

    Raises:
        BadFile, Misconfigured: as ``resolved``.
    """
    return resolved(settings.bots, settings.bots_env, environ) if settings.bots is not None else ()


class Watched[T]:
    """What files say now. A changed file is read; one that cannot be used is told once, and the old state stays."""

    def __init__(self, read_now: Callable[[], T], files: Sequence[Path], *, logs: bool = True) -> None:
        """Read the files; ``logs``: tell in the log what became of them.

        Raises:
            Misconfigured: they cannot be used.
        """
        self._read = read_now
        self._files = files
        self._logs = logs
        self._seen = self._stamp()
        self.problem: str | None = None
        """Why the files as they are now cannot be used."""
        self.now = read_now()

    def _stamp(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(map(_stamp_of, self._files))

    def look(self) -> bool:
        """Read the files again if they have changed. Returns whether they say something else now."""
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        self._seen = stamp
        try:
            now = self._read()
        except Misconfigured as problem:
            self.problem = str(problem)
            if self._logs:
                log.error("bots.refused", extra={"problem": self.problem})  # noqa: TRY400 - one line says it all
            return False
        changed, self.now, self.problem = now != self.now, now, None
        if changed and self._logs:
            log.info("bots.read")
        return changed


def _stamp_of(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
