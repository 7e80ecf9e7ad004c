"""Something of a person in each kind of key that may hold it, as it stands in Redis."""

from dataclasses import dataclass
from typing import Any, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.clock import SystemClock
from tasks.envelope import Button, Inbound, Media, OverheardMessage, Quoted, Reply, Sender
from tasks.session import SessionKey
from tasks.turn_record import TurnRecord, TurnRecords

NO_PERSON = {
    "cohort:bot:*:seen": "numbers of updates",
    "cohort:bot:*:poller": "a process",
    "cohort:bot:*:pairing": "a digest and a role",
    "cohort:bot:*:guesses": "a count",
    "cohort:bot:*:business": "names that Telegram gives connections",
    "cohort:bots": "processes",
    "cohort:worker:*": "what a process says of itself",
    "cohort:node:*": "a process",
    "cohort:members": "processes",
    "cohort:draining": "processes",
    "cohort:assignment": "slots and processes",
    "cohort:own-hosts": "processes",
    "cohort:moved-groups": "numbers of groups",
    "cohort:layout": "what the deployment is",
    "cohort:metrics:*": "no label names a chat or a person",
    "cohort:rollup:*": "counts by model",
    "cohort:reminder-number": "a count",
    "cohort:broadcast:*": "counts",
    "cohort:broadcast-lease:*": "a process",
    "cohort:alert:*": "a cause: a model, a server",
}
"""Kinds of keys that hold nothing of a person, and what they hold."""


@dataclass(frozen=True, slots=True)
class Someone:
    """A person with a private chat, and a group in which they are."""

    bot: int
    person: int
    word: str
    group: SessionKey

    @property
    def session(self) -> SessionKey:
        return SessionKey(self.bot, self.person)

    @property
    def sender(self) -> Sender:
        return Sender(id=self.person, name=self.word, username=self.word)

    def said(self, update: int, session: SessionKey, **more: Any) -> Inbound:
        kind = "private" if session.chat > 0 else "supergroup"
        of = {"session": str(session), "update_id": update, "at": 1.0, "chat_type": kind, "sender": self.sender}
        return Inbound.model_validate({**of, "text": self.word, **more})


async def plant(redis: Redis, who: Someone, other: Someone) -> None:
    """Leave something of ``who`` in each kind of key; ``other`` brings along words of theirs in the group."""
    r = cast("Any", redis)
    bot, person, session, now = who.bot, who.person, str(who.session), int(SystemClock().now())
    group, media = str(who.group), Media(kind="photo", file_id=f"{who.word}file")
    hers = [one.to_json() for one in (who.said(1, who.session, media=(media,)), who.said(2, who.group))]
    quoted = {"quote": who.word, "quoted": Quoted(sender=who.sender)}
    brought = {"overheard": (OverheardMessage(sender=who.sender, text=who.word),), "again_by": (person,)}
    his = [other.said(3, who.group, **quoted).to_json(), other.said(4, who.group, **brought).to_json()]
    reply = Reply(text=who.word, session=session, at=float(now)).to_json()
    asks = Reply(text=f"{who.word} ({person})", session=str(other.session), at=float(now))
    asks = asks.model_copy(update={"buttons": ((Button(text="Allow", data=f"allow:{person}"),),)})
    # The session's own keys, and the group's.
    await r.rpush(keys.inbox(session), hers[0])
    await r.rpush(keys.inbox(group), hers[1], *his)
    await r.rpush(keys.outbox(session), reply)
    await r.hset(keys.state(session), mapping={"history": who.word, "unanswered": hers[0], "start": who.word})
    await r.rpush(keys.journal(session), who.word)
    await r.hset(keys.notes(session), who.word, who.word)
    await r.hset(keys.earlier(session), "1", who.word)
    # The bot's.
    await r.rpush(keys.replies(bot), reply, asks.to_json())
    await r.rpush(keys.strangers(bot), reply)
    await r.zadd(keys.told(bot), {str(person): now})
    await r.set(keys.asked(bot, person), f'{{"name":"{who.word}","language":"en"}}')
    await r.hset(keys.people(bot), mapping={str(person): f'{{"role":"member","name":"{who.word}"}}', "changes": "1"})
    await r.hset(keys.zones(bot), str(person), "Europe/Berlin")
    await r.rpush(keys.answers(who.session), "5:1:")
    thumbs = (f"{session} 5 1 {person} up", f"{group} 6 2 {person} down", f"{other.session} 7 3 {other.person} up")
    await r.zadd(keys.feedback(bot), dict.fromkeys(thumbs, now))
    await r.zadd(keys.closed_chats(bot), {f"{person} blocked": now})
    heard = f"7{person} {OverheardMessage(sender=who.sender, text=who.word).model_dump_json()}"
    await r.rpush(keys.overheard(who.group), heard)
    await r.rpush(keys.brought(who.group, 5), heard)
    await r.hset(keys.album(who.group, "0123456789abcdef"), f"8{person}", who.said(6, who.group, album="g").to_json())
    await r.rpush(keys.typed(bot, person), f"0123456789abcdef{who.word}")
    await r.set(keys.named(who.session), "1")
    await r.hset(keys.logins(bot, person), "server", f"sealed {who.word}")
    # Those of all.
    await r.zadd(keys.pending(1), {session: now})
    await r.zadd(keys.parked(1), {session: now})
    await r.set(keys.own(session), "own-1")
    await r.zadd(keys.OWN_WANTED, {session: now, str(other.session): now})
    await r.hset(keys.PAUSED, mapping={f"turns:{session}": now, f"turns:{other.session}": now, "intake": now})
    await r.zadd(keys.RECORDED, {str(bot): 0})
    for name in (keys.DEAD, keys.dead(bot)):
        await r.xadd(name, {"letter": f'{{"v":1,"reason":"x","at":1,"raw":"{who.word} \\"id\\": {person}"}}'})
    for name in (keys.TRAIL, keys.trail(bot)):
        await r.xadd(name, {"turns": TurnRecords(records=(TurnRecord(session=session),)).packed()})
    await r.set(keys.pace(f"{bot}:{person}"), 1)
    await r.hset(keys.usage(f"{bot}:user:{person}", "2026-11-01"), "input_tokens", 1)
    await r.hset(keys.usage(f"{bot}:model:m", "2026-11-01"), f"held:{session}", "1 1")
    reminder = who.said(9, who.group, kind="reminder", sender=None, set_by=person).to_json()
    await r.zadd(keys.REMINDERS, {reminder: now + 3600})
    await r.zadd(keys.reminders(f"user:{bot}:{person}"), {reminder: now + 3600})
    await r.rpush(keys.broadcast_left("one"), person, other.person)
    for kind in keys.KINDS:
        if kind.lifetime == "expires":
            for name in [name async for name in redis.scan_iter(match=kind.pattern)]:
                await r.expire(name, 3600)
