"""Steps of a turn loop that begin no turn."""

from tasks.errors import EnvelopeTooNew
from tasks.session import SessionKey
from workers.sessions.inbox_wait import InboxWait
from workers.sessions.ownership.moving import move
from workers.sessions.ownership.owned_session import OwnedSession
from workers.sessions.planning import plans


async def begin_none(wait: InboxWait, owned: OwnedSession, plan: plans.Wait | plans.Move | plans.HandOff) -> None:
    """Wait, move the session, or leave it.

    Raises:
        EnvelopeTooNew: a worker of a newer release has to do the next step.
    """
    match plan:
        case plans.Wait(seconds):
            # A worker that dies meanwhile has begun nothing: the burst, or the album, is whole for the next one.
            await owned.tries.waits()
            await wait.wait(seconds)
        case plans.Move(chat, entries):
            old = owned.session
            await move(owned, SessionKey(old.bot, chat, old.topic, old.business), entries)
        case plans.HandOff(reason):
            raise EnvelopeTooNew(reason)
