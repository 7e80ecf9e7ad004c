"""Tells a person that a control word holds where no worker can: their only one died, or none is there yet.

A turn whose worker died does not run, and a /stop or /new in the inbox keeps every later worker from it; a choice or a
title comes before every later message. So it is true at once, and its person need not wait until a worker has started.
What is left to do, the next worker does.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from bot.commands.languages import Languages
from bot.commands.saying import say
from tasks.chats.choices import switched
from tasks.chats.conversations import now_called, title_of
from tasks.envelope import Inbound, Reply
from tasks.errors import StoreUnavailable
from tasks.phrases import phrase, sentences, speaking
from tasks.stopping import exchange_buttons, exchange_of, new_said, set_aside, stopped
from tasks.store.owners import Owners

log = logging.getLogger("cohort.bot")

_LATER = frozenset({"compact", "retry", "undo"})
"""Kinds of control words that a worker has to carry out: their person hears that it comes."""
WORDS = frozenset({"stop", "new", "choose", "conversation"}) | _LATER
"""Kinds of control words that are looked after; those of the first set hold as soon as they are stored."""

_FIRST_S = 0.1
"""A living worker has carried the word out by then."""
_RENEWS_S = 0.65
"""A living worker renews its heartbeat within milliseconds of being asked; others wait 0.6 s for it
(``workers.sessions.ownership.takeover``), and are to come first."""
_CLAIMS_S = 0.4
"""Another worker takes a session without an owner by then."""


class StandIn:
    """Looks after each of ``WORDS`` for a second."""

    def __init__(
        self,
        owners: Owners,
        languages: Languages,
        wake: Callable[[], None],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``wake``: there is a line of the bot to send."""
        self._owners = owners
        self._languages = languages
        self._wake = wake
        self._sleep = sleep

    async def watch(self, word: Inbound) -> None:
        """Say that it holds, or comes later, unless a worker is there."""
        if word.kind not in WORDS or word.told or word.key.inline is not None:
            return
        try:
            if await self._said(word):
                log.warning("stop.stood_in", extra={"session": word.session, "kind": word.kind})
                self._wake()
        except StoreUnavailable as problem:
            # The word waits in the inbox.
            log.warning("store.unavailable", extra={"session": word.session, "problem": str(problem)})

    async def _said(self, word: Inbound) -> bool:
        owners, session = self._owners, word.key
        await self._sleep(_FIRST_S)
        if await owners.ahead_of(session, word) is None:
            return False
        owner = await owners.of(session)
        alive = owner is not None and not owner.is_gone
        if alive and word.kind in _LATER:
            return False
        if alive:
            await owners.ask()
        await self._sleep(_RENEWS_S if alive else _CLAIMS_S)
        if (ahead := await owners.ahead_of(session, word)) is None:
            return False
        if word.kind in _LATER and await owners.asks(session):
            # A retry's turn, which asks a person, keeps its word in the inbox; its questions say that it runs.
            return False
        shown = await owners.shown(session)
        with speaking(await self._languages.of(session, word.tongue)):
            line = _line(word, ahead, shown)
        return line is not None and await owners.stand_in(session, owner, word, line)


def _line(word: Inbound, ahead: Sequence[Inbound], shown: Sequence[int]) -> Reply | None:
    """What a worker would say; None where only a worker knows it.

    Args:
        word: The control word.
        ahead: What it sets aside.
        shown: The messages that show the turn that it ends.
    """
    match word.kind:
        case "stop":
            # A turn that has shown something stays in the history: it may be answered again, or taken back.
            again = (exchange_buttons(exchange_of(word)),) if shown and set_aside(ahead) else ()
            said = say(word, stopped(set_aside(ahead)), again)
            return said.model_copy(update={"id": exchange_of(word), "disarms": tuple(shown[-1:])})
        case "new":
            said = say(word, new_said(word, ahead))
            return said.model_copy(update={"id": exchange_of(word), "disarms": tuple(shown[-1:])})
        case "choose" if not word.pressed:
            return say(word, sentences(*(switched(what, value) for what, value in word.choice.items())))
        case kind if kind in _LATER and not ahead:
            # Behind a message it is told as it is stored (``bot.answers``).
            return say(word, phrase("when-possible"))
        case "conversation" if title := title_of(word.choice.get("title", "")):
            return say(word, now_called(title))
        case _:
            return None
