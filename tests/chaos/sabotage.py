"""The product broken on purpose, one way at a time: the checker has to find each (nothing here is ever shipped)."""

from collections.abc import Callable
from dataclasses import replace


def no_dedupe() -> None:
    """An update that comes again is taken in again."""
    from tasks.store.intake import IntakeStore

    accept = IntakeStore.accept

    async def forgetful(self, bot, batch):
        from tasks import keys

        if batch:
            await self._redis.zrem(keys.seen(bot), *[item.update_id for item in batch])
        return await accept(self, bot, batch)

    IntakeStore.accept = forgetful


def no_fence() -> None:
    """A worker that was taken for dead still commits and delivers."""
    _rewritten(
        dict.fromkeys(("commit", "advance", "delivered", "note"), ("claim[1] ~= me or claim[2] ~= epoch", "false")),
        {"commit": ("plan.after and", "false and")},
    )


def ack_before_commit() -> None:
    """Messages leave the inbox when their turn begins, not when it is committed."""
    from tasks import keys
    from workers.turnloop import TurnLoop

    turn = TurnLoop._turn

    async def hasty(self, claim, state, messages, drop):
        await self._parts.sessions._redis.ltrim(keys.inbox(claim.session), drop, -1)
        return await turn(self, claim, state, messages, 0)

    TurnLoop._turn = hasty


def foreign_history() -> None:
    """A session without a history gets the one that was here before it: a lane that was not cleared."""
    from workers.runtime.engine import Engine

    run = Engine.run
    last: list[bytes] = []

    async def leaky(self, request, sink):
        if request.history is None and last:
            request = replace(request, history=last[-1])
        result = await run(self, request, sink)
        last[:] = [result.history]
        return result

    Engine.run = leaky


def forgetting() -> None:
    """A turn's history is not stored."""
    from tasks.store.sessions import SessionStore

    commit = SessionStore.commit

    async def without(self, claim, plan):
        return await commit(self, claim, replace(plan, history=None))

    SessionStore.commit = without


def newest_first() -> None:
    """The newest message is answered first."""
    _rewritten({"accept": ("'RPUSH', inbox", "'LPUSH', inbox")})


def _rewritten(*changes: dict[str, tuple[str, str]]) -> None:
    """Scripts say something else: name -> (what stands there, what shall)."""
    from tasks.store import intake, sessions
    from tasks.store.redis import Script

    class Rewritten(Script):
        def __init__(self, redis, name) -> None:
            super().__init__(redis, name)
            for old, new in [change[name] for change in changes if name in change]:
                text = self._script.script
                text = text.decode() if isinstance(text, bytes) else text
                assert old in text, f"{name}.lua has changed: sabotage it anew"
                self._script = redis.register_script(text.replace(old, new))

    sessions.Script = intake.Script = Rewritten


WAYS: dict[str, Callable[[], None]] = {
    "no-dedupe": no_dedupe,
    "no-fence": no_fence,
    "ack-before-commit": ack_before_commit,
    "foreign-history": foreign_history,
    "forgetting": forgetting,
    "newest-first": newest_first,
}


def sabotage(name: str) -> None:
    """Break this process; an empty name breaks nothing."""
    if name:
        WAYS[name]()
