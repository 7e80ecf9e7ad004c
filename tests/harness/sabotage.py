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
        dict.fromkeys(("advance", "delivered", "note"), ("claim[1] ~= me or claim[2] ~= epoch", "false")),
        {
            "commit": (
                "claim[1] ~= me or claim[2] ~= epoch or (last ~= id and last ~= (plan.after or last))",
                "false",
            )
        },
    )

    from tasks.store.sessions import SessionStore

    async def believe(self, claim) -> None:
        """Without a look."""

    SessionStore.verify_claim = believe


def no_journal_fence() -> None:
    """A worker that was taken for dead goes on with its turn, and keeps its steps."""
    _rewritten(
        {
            "journal": ("claim[1] ~= ARGV[1] or claim[2] ~= ARGV[2] or (claim[3] or '') ~= ARGV[3]", "false"),
        }
    )

    from tasks.store.sessions import SessionStore

    async def believe(self, claim) -> None:
        """Without a look."""

    SessionStore.verify_claim = believe


def replay_without_digest() -> None:
    """A step is found by its number and its id alone, whatever it is."""
    from workers.runtime.durable import entries
    from workers.runtime.durable.journal import StepJournal

    def key(self, tool_use_id, _name, _arguments):
        self._name_calls()
        return entries.key_of(self.steps.turn, tool_use_id)

    StepJournal.key = key
    entries.digest_of = lambda _messages, _form: ""


def no_presser_check() -> None:
    """Everyone may answer a question."""
    from tasks.chats.asking import ParkedTurn

    ParkedTurn.may_answer = lambda _self, _person, _admins: True


def joined_stays() -> None:
    """A message that joined a turn stays in the inbox when the turn has ended."""
    from workers.sessions.turns.steering import InboxSteering

    InboxSteering.with_joined = lambda _self, handled, _said: handled


def files_lost() -> None:
    """What does not stand in a reply is not where it was put."""
    from workers.telegram import delivery

    read = delivery.read
    delivery.read = lambda folder, file: read(folder, file) if file.stored is None else None


def files_cut() -> None:
    """What does not stand in a reply is kept but for its end."""
    from workers import outgoing

    write = outgoing.write_whole
    outgoing.write_whole = lambda path, body: write(path, body[:-1])


def files_unopened() -> None:
    """Files of people are names for the model."""
    from workers.runtime.conversation.content import ModelFiles, named

    async def blocks(_self, media):
        return [named(media)]

    ModelFiles.blocks = blocks


def albums_sent_singly() -> None:
    """Files that Telegram shows together come one by one."""
    from workers import outgoing

    outgoing.ALBUM = 1


def albums_cut() -> None:
    """Of an album the first part is taken for all of it."""
    from workers.sessions.planning import batching

    batching._merge = lambda parts: parts[0]


def refused_untold() -> None:
    """A file that Telegram refuses is dropped without a word."""
    from botapi import shape

    shape._missing = lambda _shape: []


def tries_stay() -> None:
    """The tries of a turn stay as they are when it finishes a step."""
    from workers.sessions.turns.journal import TurnJournal

    TurnJournal._reset = lambda _self: {}


def ack_before_commit() -> None:
    """Messages leave the inbox when they are read, not when they are answered."""
    from tasks import keys
    from tasks.store.sessions import Claim, SessionStore

    claim, advance, commit = SessionStore.claim, SessionStore.advance, SessionStore.commit

    async def taken(self, session, work):
        if work is not None and work.inbox:
            await self._redis.ltrim(keys.inbox(session), len(work.inbox), -1)

    async def hasty_claim(self, session, *args, **named):
        found = await claim(self, session, *args, **named)
        await taken(self, session, found.work if isinstance(found, Claim) else None)
        return found

    async def hasty_advance(self, claimed, **named):
        work = await advance(self, claimed, **named)
        await taken(self, claimed.session, work)
        return work

    async def hasty_commit(self, claimed, plan):
        return await commit(self, claimed, replace(plan, drop=0))

    SessionStore.claim, SessionStore.advance, SessionStore.commit = hasty_claim, hasty_advance, hasty_commit


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
    """A turn does not get its session's history."""
    from workers.runtime.engine import Engine

    run = Engine.run

    async def blank(self, request, sink):
        return await run(self, replace(request, history=None), sink)

    Engine.run = blank


def newest_first() -> None:
    """The newest message is answered first."""
    _rewritten({"accept": ("'RPUSH', inbox", "'LPUSH', inbox")})


def _rewritten(*changes: dict[str, tuple[str, str]]) -> None:
    """Scripts say something else: name -> (what stands there, what shall)."""
    from tasks.store import intake, journal, sessions
    from tasks.store.connection.redis import Script, digest

    class Rewritten(Script):
        def __init__(self, redis, name) -> None:
            super().__init__(redis, name)
            for old, new in [change[name] for change in changes if name in change]:
                assert old in self._text, f"{name}.lua has changed: change its sabotage, too"
                self._text = self._text.replace(old, new)
                self.sha = digest(self._text)

    sessions.Script = intake.Script = journal.Script = Rewritten


WAYS: dict[str, Callable[[], None]] = {
    "no-dedupe": no_dedupe,
    "no-fence": no_fence,
    "no-journal-fence": no_journal_fence,
    "no-presser-check": no_presser_check,
    "replay-without-digest": replay_without_digest,
    "joined-stays": joined_stays,
    "files-lost": files_lost,
    "files-cut": files_cut,
    "albums-cut": albums_cut,
    "albums-sent-singly": albums_sent_singly,
    "refused-untold": refused_untold,
    "files-unopened": files_unopened,
    "tries-stay": tries_stay,
    "ack-before-commit": ack_before_commit,
    "foreign-history": foreign_history,
    "forgetting": forgetting,
    "newest-first": newest_first,
}


def sabotage(name: str) -> None:
    """Break this process; an empty name breaks nothing."""
    if name:
        WAYS[name]()
