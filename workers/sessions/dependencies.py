"""What every turn loop of a worker works with."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tasks.clock import Clock
from tasks.settings import Settings
from tasks.store.journal import JournalStore
from tasks.store.moves import Moves
from tasks.store.sessions import SessionStore
from workers.interfaces import AgentRuntime, Delivery
from workers.sessions.alerts import Alerts
from workers.sessions.heartbeat import Heartbeat
from workers.sessions.reminders import SessionReminders

type Sleep = Callable[[float], Awaitable[None]]
"""``asyncio.sleep``; tests bring their own."""

type Steps = Callable[[str], None]
"""Told the name of each step as it is passed; test builds end the process there."""


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What every turn loop of this worker works with."""

    incarnation: str
    settings: Settings
    sessions: SessionStore
    journal: JournalStore
    moves: Moves
    reminders: SessionReminders
    runtime: AgentRuntime
    delivery: Delivery
    alerts: Alerts
    clock: Clock
    heartbeat: Heartbeat
    steps: Steps
    sleep: Sleep = asyncio.sleep
