"""Forgetting one session, or one person everywhere: Redis, the workers' turns and files, this machine's logs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ops.commands import log_files
from ops.context import Context
from tasks import session_files
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.connection.server_files import NotRewritten
from tasks.store.earlier import Struck
from tasks.store.erasure import Erased, ErasureScope
from workers.runtime.conversation import stored


@dataclass(slots=True)
class Told:
    """What went, and what the operator has to know."""

    counts: Counter[str] = field(default_factory=Counter[str])
    groups: set[SessionKey] = field(default_factory=set[SessionKey])
    problems: list[str] = field(default_factory=list[str])


async def forget(here: Context, whose: ErasureScope) -> Told:
    """Erase it; may be said again.

    Raises:
        StoreUnavailable: Redis is away; what went is gone, say it again.
        StillWritten: a group is written again and again; say it again.
    """
    told = Told()
    async with here.store() as store:
        first = await _erase(store, whose)
        sessions = sorted(first.sessions | ({whose.session} if whose.session else set()), key=str)
        media = sorted({session_files.media_name(one) for one in first.media})
        await _tell_workers(here, store, (sessions, sorted(first.groups, key=str)), media, told)
        told.counts["files and directories"] += session_files.remove(here.home.root, sessions, media)
        if whose.user is not None:
            told.counts["decisions about access"] += await store.people.forget(whose.user)
            told.counts["questions typed in other chats"] += await store.typed.forget(whose.user)
            told.counts["words overheard in groups"] += await store.overheard.forget(whose.user)
            told.counts["time zones"] += await store.reminders.zones.forget(whose.user)
        # A turn that ran has counted its cost after all, and its worker has let go of the session now.
        second = await _erase(store, whose)
        told.counts.update(first.counts)
        told.counts.update(second.counts)
        told.groups = first.groups | second.groups
        told.counts["pauses"] += await store.pauses.forget(whose)
        told.counts["processes asked for"] += await store.own.forget(whose)
        told.counts["thumbs at answers"] += await store.feedback.forget(whose)
        people = {whose.user} if whose.user is not None else {one.chat for one in sessions if one.chat > 0}
        told.counts["closed chats"] += await store.closed.forget(people, whose.within)
        told.counts["places in broadcasts"] += await store.broadcasts.forget(people, whose.within)
        await store.trail.renew_log_key()
        told.counts["places in logs"] += log_files.mask(here.home.logs, people)
        try:
            await store.server.rewrite_files()
        except NotRewritten as problem:
            told.problems.append(f"{problem}: what was erased stands in its files until it does (BGREWRITEAOF, BGSAVE)")
    return told


async def _erase(store: Store, whose: ErasureScope) -> Erased:
    def media(history: bytes | None) -> list[stored.Media]:
        read = stored.read(history)
        return stored.media_in(read) if read is not None else []

    def strike(history: bytes | None) -> Struck | None:
        left = stored.without(history, whose.user) if whose.user is not None else None
        return Struck(left.history, left.messages, left.media) if left is not None else None

    return await store.erasure.erase(whose, media=media, strike=strike)


async def _tell_workers(
    here: Context,
    store: Store,
    went: tuple[Sequence[SessionKey], Sequence[SessionKey]],
    media: Sequence[str],
    told: Told,
) -> None:
    """``went``: sessions that went whole, and groups that lost one person's messages."""
    from ops.commands import remote  # noqa: PLC0415 - Celery takes long to import

    members = (await store.members.look()).members
    if not members:
        return
    silent = {status.node_of(incarnation) for incarnation, status in members.items()}
    sessions, groups = ([str(session) for session in some] for some in went)
    for answer in remote.forget(here.settings, members, sessions=sessions, struck=groups, media=media):
        silent.discard(answer.node)
        if answer.refused:
            told.problems.append(answer.line())
        else:
            told.counts["files and directories"] += int(answer.text) if answer.text.isdigit() else 0
    if silent:
        told.problems.append(
            f"{', '.join(sorted(silent))} did not answer: a turn that runs there ends by itself, and files of its"
            " machine may be left; say it again when it has ended"
        )
