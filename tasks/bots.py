"""Which bots a deployment serves: those of ``COHORT_BOTS``, with their tokens and the settings of each."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tasks.config import environ as environment
from tasks.config.settings import Settings, env_name, load
from tasks.errors import Misconfigured
from tasks.operator_files.bots_file import FOR_ONE, BotEntry, read
from tasks.operator_files.kept_reader import KeptReader

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
        if not agent and self.entry.cards is not None:
            agent = {"COHORT_AGENT": ""}  # the deployment's is one of the other cards
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


class BotsReader:
    """``bots_of``, again and again. Where the file cannot be used at a start, the bots hold that it named last."""

    def __init__(self, settings: Settings, environ: Mapping[str, str] | None = None) -> None:
        self._read: KeptReader[tuple[ServedBot, ...]] | None = None
        if settings.bots is not None:
            read_with = partial(resolved, env_file=settings.bots_env, environ=environ)
            self._read = KeptReader(settings.home, settings.bots, read_with)

    @property
    def stands_in(self) -> str:
        """What is wrong with the file, where its copy is used; else empty."""
        return self._read.stands_in if self._read is not None else ""

    def __call__(self) -> tuple[ServedBot, ...]:
        """The bots now.

        Raises:
            BadFile, Misconfigured: as ``resolved``, where nothing is kept of the file, or something was read before.
        """
        return self._read() if self._read is not None else ()


def tell_refused(problem: str) -> None:
    """Log that the file of bots cannot be used."""
    log.error("bots.refused", extra={"problem": problem})


def tell_changed(_now: object) -> None:
    """Log that the file of bots says something else now."""
    log.info("bots.read")
