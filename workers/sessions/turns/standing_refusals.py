"""What is true of each further message, too, is told once of those of a person that come in a row (pure).

The model does not read a kind of file; a role may not use what the chat chose.
"""

from dataclasses import dataclass
from hashlib import blake2s

from tasks.store.state import StateField
from workers.interfaces import TurnResult
from workers.sessions.planning.state_view import StateView
from workers.sessions.turns.outcome import Asked
from workers.sessions.turns.refusals import Refusals

_MOST = 32
"""Refusals of a chat that are remembered."""


@dataclass(frozen=True, slots=True)
class NoticesToTell:
    """What a turn has to tell, and what its state has to keep of it."""

    notices: tuple[str, ...]
    set: dict[str, str]
    unset: tuple[str, ...]


def told_once(result: TurnResult, session: StateView, asked: Asked, now: float) -> NoticesToTell:
    """Leave out what the same people were told of the turn before, with the same agent and model.

    A turn of theirs that is refused nothing ends the row. In one that goes on it is said again after an hour. A message
    that is answered again has all that belongs to its answer.
    """
    if not (result.standing or session.standing):
        return NoticesToTell(result.notices, {}, ())
    before = Refusals.read(session.standing, now).told
    whose = _short(",".join(sorted({str(message.person) for message in asked.messages})))
    about = f"{session.choice('agent')} {session.choice('model')}"
    names = {said: f"{whose}.{_short(f'{about} {said}')}" for said in result.standing}
    again = set[str]() if asked.retry or asked.by else {said for said, name in names.items() if name in before}
    kept = {name: at for name, at in before.items() if not name.startswith(f"{whose}.")}
    kept |= {name: before[name] if said in again else now for said, name in sorted(names.items())}
    told = tuple(notice for notice in result.notices if notice not in again)
    field = " ".join(f"{name}:{at:.3f}" for name, at in list(kept.items())[-_MOST:])
    return NoticesToTell(told, {StateField.standing: field} if field else {}, () if field else (StateField.standing,))


def _short(about: str) -> str:
    """A name that tells no number of a person."""
    return blake2s(about.encode(), digest_size=5).hexdigest()
