"""People who write: chats, groups and topics that come, talk for a while and go, each message with its own word."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from random import Random

from playground.client import PlaygroundClient
from tasks.clock import Clock
from tests.harness import counters
from tests.harness.bodies import PICTURE, body_of
from tests.harness.collect import session_of
from tests.harness.history import Said
from tests.support.audio import spoken
from tests.support.script import mark

LIFE = 30
"""Messages in a chat before its person goes: a history grows, and a run has many chats."""
SENT = (
    "txt:0",
    "txt:70000",
    "png:300",
    "png:70000",
    "a.png:300,b.png:70000",
    "a.txt:0,b.txt:70000,c.txt:300",
)
"""Files of a tool: such as stand in the reply, and such as stand in the session's directory."""
MENTION = "@cohort_playground_bot "


async def arrivals(random: Random, rate: float, until: float) -> AsyncIterator[None]:
    """Each time that a person begins, ``rate`` of them in a second, until the running loop's clock says so."""
    clock = asyncio.get_running_loop().time
    while rate and clock() < until:
        await asyncio.sleep(random.expovariate(rate))
        yield


@dataclass(slots=True)
class Place:
    """Where a person talks. ``business``: the connection of the account that they write to; bots hear of ``told``."""

    chat: int
    thread: int | None = None
    left: int = LIFE
    weight: float = 1.0
    business: str = ""
    told: int = 0


class Crowd:
    """Writes about ``rate`` messages a second into ``size`` places at a time."""

    def __init__(
        self,
        people: PlaygroundClient,
        bot: int,
        random: Random,
        clock: Clock,
        *,
        rate: float,
        size: int = 40,
        tools: float = 0,
        files: float = 0,
        made: Callable[[int], None] = lambda _chat: None,
    ) -> None:
        """``tools``: the share of messages that have the agent call some; ``files``: of those that hold a file.

        ``made``: told of each new private chat.
        """
        self._made = made
        self._people = people
        self._clock = clock
        self._bot = bot
        self._random = random
        self._rate = rate
        self._size = size
        self._tools = tools
        self._files = files
        self._number = 0
        self._places: list[Place] = []
        self.said: list[Said] = []
        self.unchanged: set[int] = set()
        """Updates of edits that change nothing."""
        self._written: dict[str, tuple[int, str]] = {}
        """Word -> the message that holds it, and its text."""
        self.chats: set[int] = set()
        self.waiting: dict[str, Said] = {}
        """Words without a whole answer as yet."""
        self._ordered: dict[str, str] = {}
        """Session -> the word of its last message that has tools called."""

    async def talk(self, until: float, most: int) -> None:
        """Until the loop's clock says ``until``, or ``most`` messages were written."""
        clock = asyncio.get_running_loop().time
        due = clock()
        while clock() < until and len(self.said) < most:
            due = max(due + self._random.expovariate(self._rate), clock() - 2)
            await asyncio.sleep(max(due - clock(), 0))
            place = await self._place()
            for _ in range(self._random.choice((1, 1, 1, 1, 1, 1, 2, 2, 3, 5))):
                await self._one(place)
                if place.chat < 0:
                    break

    async def _one(self, place: Place) -> None:
        if self._random.random() >= self._files:
            await self.say(place)
        elif self._random.random() < 0.3:
            await self.send_album(place)
        else:
            await self.send(place)

    async def flood(self, count: int) -> None:
        """A new person writes so much at once."""
        place = await self._new()
        for _ in range(count):
            await self.say(place)

    async def new_place(self, *, group: bool) -> Place:
        """A chat for who says one thing in it."""
        return await (self._group() if group else self._new())

    async def new_customer(self, connection: str) -> tuple[Place, Place]:
        """A customer's chat with a business account, and the same person's own chat with the bot."""
        chat = await self._people.customer(connection)
        person = chat["chat"]["id"]
        own = (await self._people.chat(user=person))["id"]
        self.chats |= {chat["id"], own}
        return Place(chat["id"], business=connection, told=person), Place(own)

    async def say(
        self, place: Place, order: Callable[[str], str] | None = None, *, answers: str = "", by: int | None = None
    ) -> Said:
        """One message; ``order``: what the message with this word orders.

        ``answers``: the call whose question it answers. ``by``: another person than the chat's first.
        """
        self._number += 1
        word = f"m{self._number:06d}q"
        wanted = self._random.randint(2, 12)
        session = self._session_of(place)
        calls = "" if answers or self._ordered.get(session) in self.waiting else self._calls(order, session, word)
        text = f"{MENTION if place.chat < 0 else ''}{word} WORDS:{wanted}{calls}"
        at = self._clock.now()
        told = await self._people.say(place.chat, text, thread=place.thread, user=by)
        assert told.update_id is not None
        one = Said(session, told.update_id, word, at, answers=answers)
        self.said.append(one)
        self.waiting[word] = one
        self._written[word] = told.message_id, text
        place.left -= 1
        return one

    async def send(self, place: Place) -> Said:
        """One message with a file: a photo, a picture as a document, or a text; two in three above 64 KiB."""
        self._number += 1
        word = f"m{self._number:06d}q"
        name = f"{word}{self._random.choice((PICTURE, '.txt'))}"
        body = body_of(name, self._random.choice((300, 70_000, 90_000)))
        kind = self._random.choice(("photo", "document")) if name.endswith(PICTURE) else "document"
        file = await self._people.file(body, name, kind=kind)
        caption = f"{MENTION if place.chat < 0 else ''}{word} WORDS:{self._random.randint(2, 12)}"
        at = self._clock.now()
        told = await self._people.say(place.chat, thread=place.thread, caption=caption, **{kind: file})
        return self._has_said(place, Said("", told.update_id or 0, word, at, files=(mark(body),)))

    async def speak(self, place: Place) -> Said:
        """A voice message with a caption; whether its words are heard is the server's affair."""
        self._number += 1
        word = f"m{self._number:06d}q"
        file = await self._people.file(f"OggS {word} ".encode(), f"{word}.ogg", kind="voice")
        at = self._clock.now()
        caption = f"{word} WORDS:{self._random.randint(2, 12)}"
        told = await self._people.say(place.chat, thread=place.thread, caption=caption, voice=file)
        voice = mark(spoken(word).encode())
        return self._has_said(place, Said("", told.update_id or 0, word, at, files=(voice,), voice=voice))

    async def send_album(self, place: Place) -> None:
        """Two to four photos with captions, or documents of which the first has one and all are named."""
        photos = self._random.random() < 0.5
        items: list[dict[str, str]] = []
        parts: list[Said] = []
        for number in range(self._random.randint(2, 4)):
            self._number += 1
            word = f"m{self._number:06d}q"
            name = f"{word}{PICTURE if photos else self._random.choice((PICTURE, '.txt'))}"
            body = body_of(name, self._random.choice((300, 70_000)))
            kind = "photo" if photos else "document"
            mention = MENTION if place.chat < 0 and not number else ""
            caption = f"{mention}{word} WORDS:{self._random.randint(2, 12)}" if photos or not number else ""
            items.append({kind: await self._people.file(body, name, kind=kind), "caption": caption})
            parts.append(Said("", 0, word, self._clock.now(), files=(mark(body),)))
        path = f"/chats/{place.chat}/album"
        told = await self._people.control("POST", path, {"items": items, "thread": place.thread})
        album = told["messages"][0]["media_group_id"]
        for one, update in zip(parts, told["update_ids"], strict=True):
            if update is not None:
                self._has_said(place, replace(one, update_id=update, album=album))

    def _session_of(self, place: Place) -> str:
        return session_of(self._bot, place.told or place.chat, place.thread, place.business)

    def _has_said(self, place: Place, said: Said) -> Said:
        one = replace(said, session=self._session_of(place))
        self.said.append(one)
        self.waiting[one.word] = one
        place.left -= 1
        return one

    async def edit(self, place: Place, before: Said) -> Said:
        """A message gets other words: it is told as one more, which edits that one."""
        self._number += 1
        word = f"m{self._number:06d}q"
        message, _ = self._written[before.word]
        text = f"{word} WORDS:{self._random.randint(2, 12)}"
        at = self._clock.now()
        told = await self._people.edit(place.chat, message, text)
        assert told.update_id is not None
        one = Said(before.session, told.update_id, word, at, edits=before.word)
        self.said.append(one)
        # The old words may never be answered.
        self.waiting.pop(before.word, None)
        self.waiting[word] = one
        self._written[word] = message, text
        return one

    async def edit_nothing(self, place: Place, said: Said) -> None:
        """As when Telegram adds a link's preview: an edit with the same words."""
        message, text = self._written[said.word]
        told = await self._people.edit(place.chat, message, text)
        assert told.update_id is not None
        self.unchanged.add(told.update_id)

    def _calls(self, order: Callable[[str], str] | None, session: str, word: str) -> str:
        """What is ordered, or tools that the agent is to call: one to four steps of one call, or of two at once.

        Messages that are answered together hold such an order once, as a turn ends after ten rounds.
        """
        if order is None and self._random.random() >= self._tools:
            return ""
        self._ordered[session] = word
        if order is not None:
            return f" {order(word)}"
        tools = (*counters.TOOLS, counters.ATTACHING)
        number, steps = 0, []
        for _ in range(self._random.choice((1, 2, 2, 3, 4))):
            calls: list[str] = []
            for _ in range(self._random.choice((1, 1, 2))):
                number += 1
                seconds = round(self._random.uniform(0, 0.4), 2)
                tool = self._random.choice(tools)
                more = {"files": self._random.choice(SENT)} if tool == counters.ATTACHING else {}
                calls.append(counters.call(tool, f"{word}-{number}", seconds=seconds, **more))
            steps.append(" ".join(calls))
        return f" {' THEN '.join(steps)}"

    async def _place(self) -> Place:
        self._places = [place for place in self._places if place.left > 0]
        while len(self._places) < self._size:
            self._places.append(await self._new() if self._random.random() > 0.1 else await self._group())
        return self._random.choices(self._places, [place.weight for place in self._places])[0]

    async def _new(self) -> Place:
        chat = (await self._people.chat())["id"]
        self.chats.add(chat)
        self._made(chat)
        return Place(chat, weight=self._random.choice((0.3, 1.0, 3.0)))

    async def _group(self) -> Place:
        """A plain group, or a topic of a new forum. Telegram lets a bot say 20 things a minute there."""
        forum = self._random.random() < 0.5
        chat = await self._people.chat("supergroup", topics=["one"] if forum else [])
        self.chats.add(chat["id"])
        thread = await self._people.topic(chat["id"], "two") if forum else None
        return Place(chat["id"], thread, left=10, weight=0.1)
