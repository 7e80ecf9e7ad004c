"""Names new topics after their first answer (``COHORT_TOPIC_TITLES``), beside the turns and never in their way.

Only topics whose name Telegram made up are named, and each once: with the first answer in it. A name that a person gave
before that stays. A worker that ends before
leaves the topic as it is.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from botapi.errors import Refused
from tasks.bounded_dict import BoundedDict
from tasks.clock import Clock
from tasks.config.settings import Settings
from tasks.errors import CohortError
from tasks.operator_files.chat_rules import ChatRule
from tasks.session import SessionKey
from tasks.text import clean, within
from workers.sessions.ownership.owned_session import OwnedSession
from workers.sessions.spending import Spending
from workers.sessions.turns.outcome import Asked, Outcome
from workers.usage import Usage

log = logging.getLogger("cohort.titles")

_WAITING = 64
"""Topics that wait for their names; further ones keep theirs."""
_LENGTH = 128
"""Characters of a topic's name (Bot API, editForumTopic)."""
_WORDS = 5
_REFUSED = 1000
"""Chats that are remembered as refusing: a name that cannot be given costs no model call."""
_REFUSED_FOR = timedelta(hours=1)
"""As long as operators are not told again; then they may have made the bot an admin."""
_READ = 2_000
"""Characters of the question and of the answer that a title is made of."""

# Marks at the ends of what models call a title, and what would be a link or a mention in it.
_EDGES = " \t\"'`*_#“”„«»‘’.。:：-–—"
_LABEL = re.compile(r"^\s*[\"'*_#]*\s*(?:topic\s+)?title\s*[:：]", re.IGNORECASE)
_MARKS = re.compile(r"\*\*|__|~~|`|</?[a-z]{1,10}>", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:https?://|tg://|www\.|t\.me/)\S*", re.IGNORECASE)


class TitleMaker(Protocol):
    """Asks a model for a title (``workers.runtime.engine``)."""

    async def title(self, session: SessionKey, asked: str, answer: str) -> tuple[str, Usage]:
        """What the model says, and what that cost.

        Raises:
            CohortError: no model answered.
        """
        ...


class TopicNames(Protocol):
    """Gives topics their names (``workers.telegram.delivery``)."""

    async def name_topic(self, session: SessionKey, name: str) -> None:
        """Give the session's topic a name.

        Raises:
            Refused: Telegram does not take it.
            CohortError: Telegram cannot be reached.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Untitled:
    session: SessionKey
    asked: Asked
    answer: str


def title_from(said: str) -> str:
    """A topic's name from what a model said: a few words on one line, without what links or calls people."""
    line = next((line for line in clean(said).splitlines() if line.strip(_EDGES)), "")
    line = _ADDRESS.sub(" ", _MARKS.sub("", _LABEL.sub("", line))).replace("@", "")
    shown = "".join(letter if letter.isprintable() else " " for letter in line)
    return within(" ".join(shown.strip(_EDGES).split()[:_WORDS]).strip(_EDGES), _LENGTH)


def wanted_by(settings: Settings, rule_of: Callable[[SessionKey], ChatRule]) -> Callable[[SessionKey], bool]:
    """Whether topics are named: the word of the operator's file about a chat, else the setting."""
    # What echoes makes no titles.
    echoes = settings.title_model is None and settings.model == "passthrough"

    def wanted(session: SessionKey) -> bool:
        said = rule_of(session).titles
        return not echoes and (settings.topic_titles if said is None else said)

    return wanted


def _chat_of(session: SessionKey) -> tuple[int, int]:
    return session.bot, session.chat


class TopicTitles:
    """The ``Titles`` of a worker: topics wait in a queue of their own."""

    def __init__(  # noqa: PLR0913 - its collaborators, which have no other user in common
        self,
        wanted: Callable[[SessionKey], bool],
        maker: TitleMaker,
        names: TopicNames,
        spending: Callable[[SessionKey], Spending],
        alert: Callable[[str, str, int], Awaitable[object]],
        *,
        named: Callable[[SessionKey], Awaitable[bool]],
        clock: Clock,
    ) -> None:
        """Prepare it.

        Args:
            wanted: Whether new topics of a session's chat are named.
            maker: Asks a model.
            names: Tells Telegram.
            spending: Counts what it costs.
            alert: Tells operators that a right is missing.
            named: Whether a person gave a topic its name meanwhile.
            clock: Time.
        """
        self._clock = clock
        self._wanted = wanted
        self._maker = maker
        self._names = names
        self._spending = spending
        self._alert = alert
        self._named = named
        self._waiting: asyncio.Queue[_Untitled] = asyncio.Queue(_WAITING)
        self._refused = BoundedDict[tuple[int, int], float](_REFUSED)

    def after(
        self, owned: OwnedSession, asked: Asked, outcome: Outcome, done: Callable[[], None]
    ) -> Callable[[], None]:
        """What to call when the turn is committed: ``done``, and the topic waits for its name, if it is to have one."""
        session = owned.session
        first = bool(outcome.add) and owned.used[1] == 0 and any(message.untitled for message in asked.messages)
        if not first or session.topic is None or session.business is not None or self._refuses(session):
            return done
        if not self._wanted(session):
            return done
        answer = next((reply.text for reply in outcome.replies if reply.text), "")

        def committed() -> None:
            done()
            with suppress(asyncio.QueueFull):
                self._waiting.put_nowait(_Untitled(session, asked, answer))

        return committed

    def _refuses(self, session: SessionKey) -> bool:
        since = self._refused.get(_chat_of(session))
        return since is not None and self._clock.monotonic() - since < _REFUSED_FOR.total_seconds()

    async def run(self) -> None:
        """Name topics, one after the other, until cancelled."""
        while True:
            topic = await self._waiting.get()
            try:
                await self._name(topic)
            except CohortError as problem:
                log.warning("topic.unnamed", extra={"session": str(topic.session), "problem": str(problem)})
            except Exception:
                log.exception("topic.defect", extra={"session": str(topic.session)})

    async def _name(self, topic: _Untitled) -> None:
        session = topic.session
        if self._refuses(session) or await self._named(session):
            return
        asked = "\n".join(message.text for message in topic.asked.messages)
        said, usage = await self._maker.title(session, asked[:_READ], topic.answer[:_READ])
        spending = self._spending(session)
        spending.shared_by(topic.asked.messages)
        spending.spent(usage)
        await spending.count()
        title = title_from(said)
        # A person may have named it while the model wrote.
        if not title or await self._named(session):
            return
        try:
            await self._names.name_topic(session, title)
        except Refused as problem:
            if "right" in str(problem).lower() or "admin" in str(problem).lower():
                self._refused[_chat_of(session)] = self._clock.monotonic()
                # An operator can mend it; people in the chat did not ask for the name.
                what = f"a forum does not let the bot manage topics ({problem}); make it an admin"
                await self._alert("topic titles", what, session.bot)
            raise
        log.info("topic.named", extra={"session": str(session)})
