"""Puts a run's traces together: the model's and the playground's journals, the store's log, and what is left."""

import asyncio
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from playground.client import PlaygroundClient
from tasks import keys
from tests.harness import storelog
from tests.harness.counters import executions
from tests.harness.declared import undeclared
from tests.harness.history import Bubble, Call, Delivery, History, Spoken, words_in

_ASKS = re.compile(r"^(m\d{6}q-\d+): which\?$")
"""A question of a tool (``counters.ASKED``)."""
CALL = re.compile(r"\bm\d{6}q-\d+\b")
"""The name of a call, in a question about it."""
PARTS = "Understood."
"""Stands between a message and one that joined its turn, told here once more."""
SHOWING = frozenset({"sendMessage", "editMessageText"})
FILES = frozenset({"sendDocument", "sendPhoto", "sendMediaGroup"})
_FOR_GOOD = (400, 413)


def session_of(bot: int, chat: int, thread: int | None = None, business: str = "") -> str:
    """As the product writes it, told here once more: the checker takes nothing from it."""
    topic = "" if thread is None else f":t{thread}"
    return f"{bot}:{chat}{topic}:b{business}" if business else f"{bot}:{chat}{topic}"


def calls(journal: Path) -> list[Call]:
    """The mock model's journal: each call stands in it when it begins and when it ends."""
    latest: dict[int, dict[str, Any]] = {}
    with journal.open() as lines:
        for line in lines:
            entry = json.loads(line)
            latest[entry["number"]] = entry
    found: list[Call] = []
    for entry in latest.values():
        messages = [message for message in entry["messages"] if message["role"] != "system"]
        last = _begin(messages)
        found.append(
            Call(
                entry["number"],
                entry["at"],
                entry["until"] or float("inf"),
                entry["state"] == "answered",
                _spoken(messages),
                entry["reply"],
                results=tuple(message["text"] for message in messages[last:] if message["role"] == "tool"),
                heard=tuple(message["text"] for message in messages if message["role"] == "tool"),
                asks=tuple(_tool(ask) for ask in entry["asks"]),
                fault=entry["fault"],
            )
        )
    return found


def _begin(messages: Sequence[Mapping[str, str]]) -> int:
    """Where the turn begins: behind the last words of the assistant that asked for no tool."""
    ends = [place for place, one in enumerate(messages) if one["role"] == "assistant"]
    ends = [place for place in ends if "asks" not in messages[place] and not _parts(messages[place])]
    return max(ends, default=-1) + 1


def _parts(message: Mapping[str, str]) -> bool:
    return (message.get("role"), message.get("text")) == ("assistant", PARTS)


def _spoken(messages: Iterable[Mapping[str, str]]) -> tuple[Spoken, ...]:
    """What was said; a message that asks for tools, and as many results behind it, are no words of a conversation.

    A message of a person joined the turn behind a result, or behind the word that parts it from the one before.
    """
    said: list[Spoken] = []
    results = 0
    before: Mapping[str, str] = {}
    for message in messages:
        joins, before = before.get("role") == "tool" or _parts(before), message
        if message["role"] == "tool" and results:
            results -= 1
        elif "asks" in message and not results:
            results = int(message["asks"])
        elif _parts(message):
            continue
        elif message["role"] == "user" and joins and said and said[-1].role == "user":
            said[-1] = Spoken("user", f"{said[-1].text}\n{message['text']}")
        else:
            said.append(Spoken(message["role"], message["text"]))
    return tuple(said)


def _tool(ask: Mapping[str, str]) -> tuple[str, str]:
    """A tool without its server's name, and the name of the call."""
    return ask["name"].rpartition("__")[2], str(json.loads(ask["arguments"]).get("name", ""))


def deliveries(entries: Iterable[Mapping[str, Any]]) -> list[Delivery]:
    """The sendings and edits of the playground's journal that took effect."""
    found: list[Delivery] = []
    for entry in entries:
        if entry["method"] in SHOWING and entry["processed"] and entry["chat"] is not None:
            note = entry["result"] or {}
            found.append(
                Delivery(
                    seq=entry["seq"],
                    at=entry["ended"],
                    chat=entry["chat"],
                    message_id=note.get("message_id") or int(entry["params"].get("message_id", 0)),
                    text=str(entry["params"].get("text", "")),
                    edit=entry["method"] == "editMessageText",
                    heard=entry["code"] == 200,
                )
            )
    return found


def refused(entries: Iterable[Mapping[str, Any]]) -> set[int]:
    """The chats in which Telegram refused a file for good."""
    return {entry["chat"] for entry in entries if entry["method"] in FILES and entry["code"] in _FOR_GOOD}


def unheard(entries: Iterable[Mapping[str, Any]]) -> set[tuple[int, int]]:
    """Chat and message of files that Telegram sent, though the connection ended before the caller had its answer."""
    found: set[tuple[int, int]] = set()
    for entry in entries:
        if entry["method"] in FILES and entry["processed"] and entry["code"] != 200:
            note = entry["result"] or {}
            ids = note.get("message_ids") or [number for number in [note.get("message_id")] if number]
            found |= {(entry["chat"], number) for number in ids}
    return found


def question(entry: Mapping[str, Any]) -> tuple[int, int, str] | None:
    """Of an entry that shows a question: its chat, message and id; of one that wants words, the call's name as id."""
    markup = entry["params"].get("reply_markup")
    rows = (json.loads(markup) if isinstance(markup, str) else markup or {}).get("inline_keyboard", ())
    message = (entry["result"] or {}).get("message_id") or int(entry["params"].get("message_id", 0))
    for data in (str(button.get("callback_data", "")) for row in rows for button in row):
        if data.startswith("ask:"):
            return entry["chat"], message, data.split(":")[1]
    wants_words = _ASKS.match(str(entry["params"].get("text", "")))
    return (entry["chat"], message, wants_words[1]) if wants_words else None


async def bubbles(people: PlaygroundClient, bot: int, chats: Iterable[int]) -> list[Bubble]:
    """The bot's messages as they stand now."""
    found: list[Bubble] = []
    for chat in chats:
        for message in await people.bot_messages(chat):
            thread = message["message_thread_id"] if message.get("is_topic_message") else None
            text = message.get("text", "")
            name, mark = _file(message)
            business = message.get("business_connection_id", "")
            # The playground has a number of its own for an account's chat with a customer.
            told = message["chat"]["id"] if business else chat
            session = session_of(bot, told, thread, business)
            found.append(
                Bubble(
                    session,
                    told,
                    message["message_id"],
                    text,
                    name,
                    float(message["date"]),
                    mark,
                    message.get("media_group_id", ""),
                )
            )
    return found


def _file(message: Mapping[str, Any]) -> tuple[str, str]:
    """The name and the mark of what a message shows; a photo's mark is its name, too."""
    held = message.get("document") or (message.get("photo") or [{}])[-1]
    mark = held.get("file_unique_id", "")
    return held.get("file_name", mark), mark


async def left_behind(redis: Redis, bot: int) -> list[str]:
    """What should be gone when everything is answered."""
    found = [f"{name}" for name in await undeclared(redis)]
    for pattern, what in (
        ("s:*:inbox", "unanswered messages"),
        ("s:*:outbox", "undelivered replies"),
        ("s:*:journal", "steps of a turn that has ended"),
    ):
        async for name in redis.scan_iter(keys.PREFIX + pattern, count=1000):
            found += [f"{name.decode()}: {await redis.llen(name)} {what}"]
    async for name in redis.scan_iter(f"{keys.PREFIX}slot:*:pending", count=1000):
        found += [f"{name.decode()}: {member.decode()} is pending" for member in await redis.zrange(name, 0, -1)]
    async for name in redis.scan_iter(f"{keys.PREFIX}s:*:state", count=1000):
        owner, tries, live = await redis.hmget(name, "owner", "tries", "live")
        # Who died owning a session in which nothing waits leaves its name there until its chat says something.
        living = owner and await redis.exists(keys.worker(owner.decode()))
        if living or tries or live:
            found.append(f"{name.decode()}: owner {owner}, tries {tries}, live {live}")
    if waiting := await redis.llen(keys.replies(bot)):
        found.append(f"{waiting} replies of the bot itself")
    found += [f"{member} is listed as a member and dead" for member in await _unburied(redis)]
    return found


async def _unburied(redis: Redis) -> list[str]:
    """Members whose heartbeat has stopped; the next look strikes them."""
    living = {name.decode() async for name in redis.scan_iter(f"{keys.PREFIX}worker:*", count=1000)}
    return [member.decode() for member in await redis.hkeys(keys.MEMBERS) if keys.worker(member.decode()) not in living]


async def complete(
    history: History, home: Path, people: PlaygroundClient, *, url: str, bot: int, chats: Iterable[int]
) -> None:
    """Fill in what is not known before the end; ``said``, ``deliveries`` and ``faults`` are there already.

    ``home`` holds the model's journal (``model.jsonl``), the store's directory (``valkey``) and the stage's (``h``).
    """
    history.executions = executions(home / "h" / "cards" / "counter.log")
    history.calls = calls(home / "model.jsonl")
    history.bubbles = await bubbles(people, bot, chats)
    if pending := (await people.queue())["pending"]:
        history.left.append(f"{pending} updates are not confirmed")
    async with Redis.from_url(url) as redis:
        history.left += await left_behind(redis, bot)
    history.accepted, history.committed, history.dead = storelog.read(home / "valkey")


async def at_rest(redis: Redis, bot: int) -> bool:
    """Whether nothing waits, no worker works, and each dead one is struck from the list."""
    for pattern in ("s:*:inbox", "s:*:outbox", "slot:*:pending"):
        async for _ in redis.scan_iter(keys.PREFIX + pattern, count=1000):
            return False
    return not await redis.llen(keys.replies(bot)) and not await _unburied(redis)


async def rest(redis: Redis, bot: int) -> None:
    """Wait until that is so."""
    while True:
        if await at_rest(redis, bot):
            return
        await asyncio.sleep(0.1)


async def in_step(redis: Redis, session: str = "*") -> tuple[str, int]:
    """Wait until a turn (``session``'s) is in a tool call, by its journal; its worker's incarnation and process id."""
    while True:
        async for name in redis.scan_iter(f"{keys.PREFIX}s:{session}:journal", count=1000):
            last = await redis.lindex(name, -1)
            owner = await redis.hget(name.decode().removesuffix("journal") + "state", "owner")
            about = await redis.get(keys.worker(owner.decode())) if owner else None
            if last and b'"k":"begun"' in last and about:
                return owner.decode(), json.loads(about)["pid"]
        await asyncio.sleep(0.02)


def words_shown(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """The words of a journal entry that shows text."""
    return words_in(str(entry["params"].get("text", ""))) if entry["method"] in SHOWING else ()
