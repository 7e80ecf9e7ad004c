"""A session whose turns run in another process: its claim is let go and that process told; the chat, if none comes."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Literal

from botapi.errors import ChatMigrated, Undeliverable
from tasks.chats.choices import LANGUAGE
from tasks.envelope import Inbound
from tasks.errors import EnvelopeInvalid, EnvelopeTooNew, StoreUnavailable
from tasks.phrases import language_of, phrase, speaking
from tasks.session import SessionKey
from tasks.store.sessions import Claim, Held
from tasks.store.state import StateField
from workers.placing import Trouble
from workers.sessions.dependencies import Dependencies
from workers.sessions.ownership.owned_session import OwnedSession, persist

log = logging.getLogger("cohort.turns")

_TELL_S = 10.0
"""How long telling the chat may take. Telegram's limits must not keep the claim from the session's process."""


async def claimed(deps: Dependencies, session: SessionKey) -> Claim | None:
    """Claim a session; None when another process owns it, which is told of the doorbell if it is the session's own.

    The claim may have been won although its answer was lost. Giving up here would leave the session to a worker that
    does not work on it, so the claim is repeated until Redis answers.
    """
    claim = await persist(lambda: deps.sessions.claim(session, deps.incarnation), session, deps.sleep)
    if not isinstance(claim, Held):
        return claim
    with suppress(StoreUnavailable):  # its loop looks into the inbox again before it ends
        await deps.places.pass_on(session, claim.owner)
    return None


async def send_away(deps: Dependencies, owned: OwnedSession, inbox: Sequence[bytes]) -> Literal["elsewhere"]:
    """Release the session, its work in place, and call the process that may run its turns.

    Redis may be away between the steps: the next sweep finds the session again.

    Raises:
        ClaimLost: another process owns it by now.
    """
    session = owned.session
    with suppress(StoreUnavailable):
        if (trouble := await deps.places.trouble(session)) is not None and not owned.waits_told:
            await owned.note(StateField.waits, "1")
            with speaking(_language(owned, inbox)):
                await _tell(deps, owned, trouble)
    await owned.hand_off()
    with suppress(StoreUnavailable):
        await deps.places.call(session)
    return "elsewhere"


def _language(owned: OwnedSession, inbox: Sequence[bytes]) -> str:
    """That of the person who wrote last, unless the chat has chosen one."""
    tongue = None
    with suppress(EnvelopeInvalid, EnvelopeTooNew):
        tongue = Inbound.from_json(inbox[-1]).tongue
    return language_of(owned.choice(LANGUAGE), tongue, owned.tongue)


async def _tell(deps: Dependencies, owned: OwnedSession, trouble: Trouble) -> None:
    log.warning("own.waits", extra={"session": str(owned.session), "reason": trouble})
    said = phrase("own-none") if trouble == "none" else phrase("own-full")
    with suppress(Undeliverable, ChatMigrated, TimeoutError):
        async with asyncio.timeout(_TELL_S):
            for reply in deps.delivery.render(said):
                await deps.delivery.deliver(owned.session, reply, still_ours=owned.ensure_owned)
