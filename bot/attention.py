"""Which messages of a group the bot attends to: those meant for it, or as the operator says of that chat or topic."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.recent import Recent
from bot.updates.meaning import BotIdentity, Ignored, Incoming, Meaning
from bot.updates.understand import understand
from tasks.chat_rules import ChatRulesFile
from tasks.clock import Clock
from tasks.newest import Newest

_ALBUM_PARTS = timedelta(minutes=1)
_PARTS = 10
"""Parts of an album (Bot API, sendMediaGroup)."""
_LEFT_OUT = -(2**60)
"""A part that was left out was remembered as seen under its update's id: it is accepted under another number, below all
that updates and inline messages have (``bot.updates.elsewhere``)."""
_NAMED = timedelta(days=1)
"""For so long a process of the bot knows that a person has named a topic, which no model names then."""
_REMEMBERED = 10_000
_ALBUMS = 1_000
"""Albums whose parts are kept that came before one which names the bot. A webhook brings each part by itself."""


class Attention:
    """Reads updates, and decides which are for the bot."""

    def __init__(self, me: BotIdentity, chats: ChatRulesFile, clock: Clock) -> None:
        self._me = me
        self._chats = chats
        self._clock = clock
        self._albums = Recent(_ALBUM_PARTS, _REMEMBERED, clock)
        self._left_out = Newest[tuple[str, str | None], dict[int, tuple[float, Incoming]]](_ALBUMS)
        self._named = Recent(_NAMED, _REMEMBERED, clock)

    def read(self, updates: Sequence[object], now: float) -> list[Meaning]:
        """What a batch of raw updates means; never raises.

        Before a part of an album that names the bot stand the parts that came before it, in other batches.

        Args:
            updates: As they came.
            now: Seconds since the epoch.
        """
        meanings = [self._ruled(understand(update, self._me, now)) for update in updates]
        for place, meaning in enumerate(meanings):
            if isinstance(meaning, Ignored) and meaning.named is not None:
                self._named.add(meaning.named)
            if isinstance(meaning, Incoming) and meaning.inbound.untitled and meaning.inbound.key in self._named:
                inbound = meaning.inbound.model_copy(update={"untitled": False})
                meanings[place] = replace(meaning, inbound=inbound)
            # One part of an album has the caption that names the bot, and it is not always the first.
            if isinstance(meaning, Incoming) and meaning.addressed and meaning.inbound.album is not None:
                self._albums.add((meaning.inbound.session, meaning.inbound.album))
        return [one for meaning in meanings for one in (*self._parts_before(meaning), meaning)]

    def attends(self, heard: Incoming) -> bool:
        """Whether a message is for the bot, as a whole album is of which one part names it."""
        album = (heard.inbound.session, heard.inbound.album)
        if heard.addressed or album in self._albums:
            return True
        if heard.inbound.album is not None:
            parts = self._left_out.get(album) or {}
            if len(parts) < _PARTS:
                parts[heard.update_id] = (self._clock.monotonic(), replace(heard, once=_LEFT_OUT - heard.update_id))
            self._left_out[album] = parts
        return False

    def _parts_before(self, meaning: Meaning) -> list[Incoming]:
        if not isinstance(meaning, Incoming) or not meaning.addressed or meaning.inbound.album is None:
            return []
        since = self._clock.monotonic() - _ALBUM_PARTS.total_seconds()
        # They are kept: this update comes again where the store was away.
        parts = self._left_out.get((meaning.inbound.session, meaning.inbound.album), {})
        return [part for _, (at, part) in sorted(parts.items()) if at > since]

    def _ruled(self, meaning: Meaning) -> Meaning:
        """A group's ordinary message as the operator's rule has it; commands and buttons are for the bot everywhere."""
        if not isinstance(meaning, Incoming) or meaning.inbound.chat_type == "private" or meaning.inbound.pressed:
            return meaning
        if meaning.inbound.kind != "message" or (meaning.ask is not None and meaning.addressed):
            return meaning
        match self._chats.of(meaning.inbound.key).mention:
            case "always" if meaning.ask is None:
                return replace(meaning, addressed=True)
            case "never":
                return Ignored(meaning.update_id, "a message in a chat where the bot does not answer")
            case _:
                return meaning
