"""Which messages of a group the bot attends to: those meant for it, or as the operator says of that chat or topic."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from bot.access.business_accounts import BusinessAccounts
from bot.access.people import PeopleView
from bot.commands.card_commands import CardCommands, written
from bot.groups.bursts import GroupBursts
from bot.groups.channel_posts import ChannelPosts
from bot.updates.meaning import BotIdentity, Ignored, Incoming, Meaning, Moved
from bot.updates.understand import not_understood, understand
from bot.updates.update import update_id_of
from tasks.envelope import Inbound
from tasks.errors import StoreUnavailable
from tasks.operator_files.chat_rules import ChatRulesFile
from tasks.session import SessionKey
from tasks.store.chats.named_topics import NamedTopics
from tasks.store.chats.overheard import OverheardStore
from tasks.store.connection.erasure_scope import inbounds

log = logging.getLogger("cohort.bot")

_LEFT_OUT = -(2**60)
"""A part that was left out was remembered as seen under its update's id: it is accepted under another number, below all
that updates and inline messages have (``bot.updates.inline_messages``)."""


class Attention:
    """Reads updates, and decides which are for the bot."""

    def __init__(  # noqa: PLR0913 - its collaborators, which have no other user in common
        self,
        me: BotIdentity,
        chats: ChatRulesFile,
        albums: OverheardStore,
        people: PeopleView,
        named: NamedTopics,
        *,
        posts: ChannelPosts,
        business: BusinessAccounts,
        bursts: GroupBursts,
        taken: CardCommands,
    ) -> None:
        self._me = me
        self._taken = taken
        self._bursts = bursts
        self._posts = posts
        self._business = business
        self._chats = chats
        self._albums = albums
        self._people = people
        self._named = named

    def renamed(self, me: BotIdentity) -> None:
        """The bot has another name."""
        self._me = me

    async def read(self, updates: Sequence[object], now: float) -> list[Meaning]:
        """What a batch of raw updates means.

        Before a part of an album that names the bot stand the parts that came before it, in other batches, to whichever
        process of the bot.

        Args:
            updates: As they came.
            now: Seconds since the epoch.

        Raises:
            StoreUnavailable: Redis is away.
        """
        found: list[Meaning] = []
        for update in updates:
            try:
                found += await self._read_one(update, now, found)
            except StoreUnavailable:
                raise
            except Exception as problem:  # one update must never stop the others
                log.exception("update.failed", extra={"update_id": update_id_of(update)})
                found.append(not_understood(update, problem))
        return found

    async def _read_one(self, update: object, now: float, before: list[Meaning]) -> list[Meaning]:
        meaning = self._called(await self._business.heard(understand(update, self._me, now), before))
        meaning = self._ruled(meaning)
        parts: list[Incoming] = []
        if isinstance(meaning, Moved):
            await self._follow(meaning.old.chat, meaning.new.chat)
        if isinstance(meaning, Ignored) and meaning.named is not None:
            await self._note_name(meaning.named)
        if isinstance(meaning, Incoming):
            self._posts.note(meaning)
            # One part of an album has the caption that names the bot, and it is not always the first.
            parts = await self._parts_before(meaning)
        return [*parts, meaning]

    async def _note_name(self, topic: SessionKey) -> None:
        """A person named a topic: its worker asks for that, as its first turn may run. A stranger's is not kept."""
        person = topic.chat if topic.chat > 0 else None
        if self._people.access.decide(person, topic.chat) == "admit":
            await self._named.note(topic)

    async def _follow(self, old: int, new: int) -> None:
        """A group became a supergroup, and the operator's rules know it by its old number."""
        if old in self._chats.now.chats and old != self._chats.moved.get(new):
            await self._people.store.follow(old, new)
            self._chats.moved = await self._people.store.followed()
            remedy = f"write {new} in place of {old}; until then its rules hold for both"
            log.warning("chats.moved", extra={"group": old, "now": new, "remedy": remedy})

    async def watch(self, changed: Callable[[], None] = lambda: None) -> None:
        """Keep the operator's rules current until cancelled; ``changed``: called where roles may use other things."""
        while True:
            with suppress(StoreUnavailable):
                if self._chats.name_groups:
                    self._chats.moved = await self._people.store.followed()
            before = self._chats.roles()
            await self._chats.next_look()
            if self._chats.roles() != before:
                changed()

    async def attended(self, heard: Incoming) -> Incoming | None:
        """A message that is for the bot, as a whole album or burst is of which one part names it; None where it is not.

        Raises:
            StoreUnavailable: Redis is away.
        """
        if heard.place:
            return None
        if await self._posts.has(heard):
            heard = replace(heard, addressed=False)
        if heard.addressed or (heard.ask is None and self._bursts.has(heard)):
            self._bursts.note(heard)
            return replace(heard, addressed=True)
        if heard.ask is not None or not self._of_album(heard) or not await self._albums.part(heard.inbound):
            return None
        return _part(heard.inbound, heard.sent)

    def _of_album(self, heard: Incoming) -> bool:
        """Whether it is a part of a group's album, of a person who may talk: a stranger's costs nothing."""
        inbound = heard.inbound
        if inbound.album is None or inbound.key.chat > 0:
            return False
        user = inbound.sender.id if inbound.sender else None
        return self._people.access.decide(user, inbound.key.chat) == "admit"

    async def _parts_before(self, heard: Incoming) -> list[Incoming]:
        if not heard.addressed or heard.ask is not None or not self._of_album(heard):
            return []
        # They are kept: this update comes again where the store was away.
        parts = inbounds(await self._albums.parts_before(heard.inbound))
        return [_part(part, heard.sent) for part in sorted(parts, key=lambda part: part.update_id)]

    def _called(self, meaning: Meaning) -> Meaning:
        """A command of the agents is for the bot without its name, as the bot's own commands are."""
        if isinstance(meaning, Incoming) and not meaning.addressed and meaning.ask is None:
            return replace(meaning, addressed=written(meaning.inbound) in self._taken.now)
        return meaning

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


def _part(inbound: Inbound, sent: float) -> Incoming:
    """A part that does not name the bot, and is attended to.

    It may be found with its album and come again as an update, so it is stored under a number of its own.
    """
    return Incoming(inbound.update_id, inbound, once=_LEFT_OUT - inbound.update_id, sent=sent)
