"""Rubbish in each kind of key: commands and console show the rest."""

import json
from collections.abc import Awaitable, Callable

import pytest

from ops.commands.status.read import look
from tasks.clock import SystemClock
from tasks.session import SessionKey
from tasks.store import Store
from tests.ops.test_web import READS, Open, console, lived_in
from tests.ops.test_web_rubbish import no_number
from tests.support.damage import damage
from tests.support.redis_of import redis_of

__all__ = ["console"]

SESSION = SessionKey(4242, 7)


VERBS: dict[str, Callable[[Store], Awaitable[object]]] = {
    "status": lambda store: look(store, SystemClock(), slots=64),
    "bots": lambda store: store.oversight.bots(),
    "chats": lambda store: store.closed.look(),
    "feedback": lambda store: store.feedback.since(0.0),
    "dead list": lambda store: store.dead.list(),
    "sessions list": lambda store: store.listing.page(10),
    "sessions export": lambda store: store.notes.recall(SESSION),
    "pause": lambda store: store.pauses.look(),
    "people": lambda store: store.people.look(4242),
    "forget: people": lambda store: store.people.forget(7),
    "forget: zones": lambda store: store.reminders.zones.forget(7),
    "forget: closed": lambda store: store.closed.forget({7}),
    "forget: broadcasts": lambda store: store.broadcasts.forget({7}),
    "broadcast --stop": lambda store: store.broadcasts.stop(),
    "broadcast --stop --bot": lambda store: store.broadcasts.stop(4242),
}


@pytest.mark.parametrize("verb", VERBS)
async def test_what_a_command_reads_may_be_rubbish(store: Store, verb: str) -> None:
    await damage(redis_of(store), SESSION)
    await VERBS[verb](store)


@pytest.mark.promise("console-stands")
async def test_the_console_stands_beside_rubbish_in_each_kind_of_key(store: Store, console: Open) -> None:
    await lived_in(store)
    await damage(redis_of(store), SESSION)
    async with console() as http:
        for path in READS:
            answer = await http.get(path)
            assert answer.status_code == 200, path
            if path != "/metrics":
                json.loads(answer.text, parse_constant=no_number)
