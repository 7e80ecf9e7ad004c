"""The journal of a running turn: its finished and begun steps, kept until the commit that ends its messages."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.errors import ClaimLost, StateDamaged
from tasks.store.connection.redis import Script, guard, mend, text
from tasks.store.sessions import USAGE_KEPT, Claim, Counts, flat


@dataclass(frozen=True, slots=True)
class Steps:
    """Entries to keep, and what they cost."""

    mark: str
    """The mark of the turn whose steps they are."""
    at: int
    """How many entries the journal has already."""
    entries: Sequence[bytes]
    after: str
    """The id of the session's last commit ("" none)."""
    replaces: str = ""
    """With ``at`` 0: the mark that the state has now ("" none)."""
    add: Mapping[str, int] = field(default_factory=dict[str, int])
    """As in ``Commit``."""
    usage: Mapping[str, Counts] = field(default_factory=dict[str, Counts])
    """As in ``Commit``."""
    set: Mapping[str, str] = field(default_factory=dict[str, str])
    """Fields of the state."""


class JournalStore:
    """Verbs on the journal of a claimed session. A commit that drops messages removes it (``commit.lua``)."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._journal = Script(redis, "journal")

    async def append(self, claim: Claim, steps: Steps) -> bool:
        """Keep them, all or none, in one round trip; the same ``steps`` given again are kept once.

        Returns:
            False when the journal is not as expected (something else than Cohort changed it); nothing was kept.

        Raises:
            ClaimLost: another incarnation owns the session, or its turn was committed.
            StoreUnavailable: Redis is away; the steps may be kept.
        """
        session = claim.session
        usage = [{"add": dict(counts.add), "set": flat(counts.set)} for counts in steps.usage.values()]
        plan: dict[str, Any] = {"set": flat(steps.set), "add": dict(steps.add), "usage": usage}
        args = [claim.owner, claim.epoch, steps.after, steps.mark, steps.replaces, steps.at]
        args += [json.dumps(plan), int(USAGE_KEPT.total_seconds()), *steps.entries]
        done = await self._journal([keys.state(session), keys.journal(session), *steps.usage], args)
        if not done:
            raise ClaimLost
        return done == 1

    async def read(self, claim: Claim) -> tuple[bytes, ...]:
        """The entries, oldest first. A key of another type holds none, and is taken away.

        Raises:
            StoreUnavailable: Redis is away.
        """
        key = keys.journal(claim.session)
        try:
            with guard():
                return tuple(await cast("Any", self._redis).lrange(key, 0, -1))
        except StateDamaged:
            await mend(self._redis, [key])
            return ()

    async def mark(self, claim: Claim) -> str:
        """The mark of the turn whose journal it is now, "" when there is none.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with guard():
            return text(await cast("Any", self._redis).hget(keys.state(claim.session), "journal") or b"")
