"""The people and groups of a bot as its owner and admins let them in or keep them out, and the pairing code."""

import hmac
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Literal, cast

from pydantic import ValidationError
from redis.asyncio import Redis

from tasks import keys
from tasks.chats.access import Applicant, OperatorsWord, People, Person, person_from
from tasks.chats.pairing import GUESSES_AN_HOUR, LASTS, digest
from tasks.chats.roles import Role, outranks
from tasks.clock import Clock
from tasks.store.connection.redis import Script, guard, text
from tasks.text import is_digits

_COUNT = "changes"
_OPERATOR = "operator"
_AN_HOUR = 3600
_ASKED_FOR = timedelta(days=7)
"""Admins may answer that late, and the person still hears of it."""

type Guess = Literal["wrong", "no gain"]
"""``no gain``: the code is right and stays valid, because its person has a role as high already."""


class PeopleStore:
    """Verbs on one hash for each bot: id -> ``Person``, besides the operator's word and a count of changes."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock
        self._pair = Script(redis, "pair")

    async def look(self, bot: int) -> People:
        """All that is stored."""
        with guard():
            stored: dict[bytes, bytes] = await cast("Any", self._redis).hgetall(keys.people(bot))
        found = {text(name): value for name, value in stored.items()}
        entries = {int(name): person for name, raw in found.items() if _is_id(name) and (person := person_from(raw))}
        return People(entries, _operator(found.get(_OPERATOR)), _number(found.get(_COUNT)))

    async def version(self, bot: int) -> int:
        """The count of changes: it tells whether ``look`` would find something else."""
        with guard():
            return _number(await cast("Any", self._redis).hget(keys.people(bot), _COUNT))

    async def put(self, bot: int, who: int, person: Person) -> None:
        """Let a person or a group in, or keep it out."""
        await self._change(bot, {str(who): person.model_dump_json(exclude_defaults=True)})

    async def ask(self, bot: int, who: int, asked: Applicant) -> None:
        """Keep what is known of a stranger whom admins hear of, until they decide, perhaps in another process."""
        with guard():
            await self._redis.set(keys.asked(bot, who), asked.model_dump_json(), ex=_ASKED_FOR)

    async def asked(self, bot: int, who: int) -> Applicant | None:
        """What was kept of a stranger; None where nothing is, or nothing that can be read."""
        with guard():
            raw = await cast("Any", self._redis).get(keys.asked(bot, who))
        with suppress(ValidationError):
            return Applicant.model_validate_json(raw) if raw is not None else None
        return None

    async def decided(self, bot: int, who: int) -> None:
        """Forget what was kept of a stranger."""
        with guard():
            await self._redis.unlink(keys.asked(bot, who))

    async def publish(self, bot: int, word: OperatorsWord) -> None:
        """Keep what the bot's own settings say, for the workers."""
        if (await self.look(bot)).operator != word:
            await self._change(bot, {_OPERATOR: word.model_dump_json()})

    async def remove(self, bot: int, who: int) -> bool:
        """Forget the decision about a person or a group."""
        with guard():
            gone = await cast("Any", self._redis).hdel(keys.people(bot), str(who))
        if gone:
            await self._change(bot, {})
        return bool(gone)

    async def rename(self, bot: int, old: int, new: int) -> None:
        """A group became a supergroup: the decision about it goes on."""
        person = (await self.look(bot)).entries.get(old)
        if person is not None:
            await self.put(bot, new, person)
            await self.remove(bot, old)

    async def follow(self, old: int, new: int) -> None:
        """The operator's rules name a group that became a supergroup: they hold for that, too."""
        with guard():
            await cast("Any", self._redis).hset(keys.MOVED_GROUPS, str(new), str(old))

    async def followed(self) -> Mapping[int, int]:
        """Supergroups, each with the group of the rules that it was, of all bots."""
        with guard():
            stored: dict[bytes, bytes] = await cast("Any", self._redis).hgetall(keys.MOVED_GROUPS)
        pairs = [(text(new), text(old)) for new, old in stored.items()]
        return {int(new): int(old) for new, old in pairs if _is_id(new) and _is_id(old)}

    async def forget(self, user: int) -> int:
        """Erase one person from the lists of all bots, also as the admin who decided; returns from how many."""
        gone = 0
        with guard():
            names = [text(name) async for name in self._redis.scan_iter(match=keys.people("*"), count=1000)]
        for bot in [bot for name in names if (bot := keys.bot_in(name)) is not None]:
            gone += await self.remove(bot, user)
            for who, person in (await self.look(bot)).entries.items():
                if person.by == user:
                    await self.put(bot, who, person.model_copy(update={"by": None}))
        return gone

    async def _change(self, bot: int, fields: dict[str, str]) -> None:
        with guard():
            async with self._redis.pipeline(transaction=True) as pipe:
                if fields:
                    pipe.hset(keys.people(bot), mapping=cast("Any", fields))
                pipe.hincrby(keys.people(bot), _COUNT, 1)
                await pipe.execute()

    # -- pairing

    async def offer(self, bot: int, code: str, role: Role) -> None:
        """Make ``code`` the one that is valid, once, for ``LASTS``. One that was offered before is void."""
        with guard():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.delete(keys.pairing(bot), keys.guesses(bot))
                pipe.hset(keys.pairing(bot), mapping={"digest": digest(code), "role": role})
                pipe.expire(keys.pairing(bot), LASTS)
                await pipe.execute()

    async def pair(self, bot: int, code: str, who: int, *, name: str, has: Role | None) -> Role | Guess:
        """Use a code. Each call counts as a guess, and of too many in an hour none is looked at.

        Args:
            bot: The bot.
            code: What the person sent.
            who: The person.
            name: For lists.
            has: The person's role now.

        Returns:
            The role that the person has from now on, or why nothing changed.
        """
        with guard():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.incr(keys.guesses(bot))
                pipe.expire(keys.guesses(bot), _AN_HOUR, nx=True)
                pipe.hmget(keys.pairing(bot), ["digest", "role"])
                guesses, _, (offered, role) = await pipe.execute()
        ours = digest(code)
        right = offered is not None and hmac.compare_digest(text(offered), ours)
        if guesses > GUESSES_AN_HOUR or not right:
            return "wrong"
        given = cast("Role", text(role))
        if has is not None and not outranks(given, has):
            return "no gain"
        person = Person(role=given, name=name, at=self._clock.now())
        places = [keys.pairing(bot), keys.people(bot)]
        done = await self._pair(places, [ours, str(who), person.model_dump_json(exclude_defaults=True), _COUNT])
        return given if done else "wrong"


def _is_id(name: str) -> bool:
    return is_digits(name.removeprefix("-"))


def _number(raw: bytes | None) -> int:
    return int(raw) if raw is not None and raw.isdigit() else 0


def _operator(raw: bytes | None) -> OperatorsWord | None:
    try:
        return OperatorsWord.model_validate_json(raw) if raw is not None else None
    except ValidationError:
        return None
