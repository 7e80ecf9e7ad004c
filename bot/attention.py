"""Which messages of a group the bot attends to: those meant for it, or as the operator says of that chat or topic."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.recent import Recent
from bot.updates.meaning import BotIdentity, Ignored, Incoming, Meaning
from bot.updates.understand import understand
from tasks.chat_rules import ChatRulesFile
from tasks.clock import Clock

_ALBUM_PARTS = timedelta(minutes=1)
_NAMED = timedelta(days=1)
"""For so long a process of the bot knows that a person has named a topic, which no model names then."""
_REMEMBERED = 10_000


class Attention:
    """Reads updates, and decides which are for the bot."""

    def __init__(self, me: BotIdentity, chats: ChatRulesFile, clock: Clock) -> None:
        self._me = me
        self._chats = chats
        self._clock = clock
        self._albums = Recent(_ALBUM_PARTS, _REMEMBERED, clock)
        self._named = Recent(_NAMED, _REMEMBERED, clock)

    def read(self, updates: Sequence[object], now: float) -> list[Meaning]:
        """What a batch of raw updates means; never raises.

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
        return meanings

    def attends(self, heard: Incoming) -> bool:
        """Whether a message is for the bot, as a whole album is of which one part names it."""
        return heard.addressed or (heard.inbound.session, heard.inbound.album) in self._albums

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
