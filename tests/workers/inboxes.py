"""What an inbox holds, written by hand, and what the planner makes of it."""

from typing import Any

from tasks.envelope import Inbound
from workers.sessions.planning import planner
from workers.sessions.planning.parked import Rules
from workers.sessions.planning.planner import Run, SessionPlan

NOW = 1_800_000_000.0
TOO_NEW = b'{"v": 99, "something": "else"}'
DAMAGED = b"{not json"


def entry(update: int, text: str = "", **fields: Any) -> bytes:
    stated = {"session": "1:5", "update_id": update, "at": NOW - 60, "message_id": update, "text": text, **fields}
    return Inbound.model_validate(stated).to_json().encode()


def word(update: int, kind: str, **fields: Any) -> bytes:
    return entry(update, kind=kind, message_id=None, **fields)


def photo(update: int, album: str, **fields: Any) -> bytes:
    return entry(update, album=album, media=[{"kind": "photo", "file_id": f"f{update}"}], **fields)


def decide(*inbox: bytes, tries: int = 1, mode: str = "collect", **more: Any) -> SessionPlan:
    return planner.decide(inbox, planner.Earlier(tries, **more), Rules(mode, NOW))


def messages_of(plan: SessionPlan) -> list[str]:
    assert isinstance(plan, Run)
    return [message.text for message in plan.messages]
