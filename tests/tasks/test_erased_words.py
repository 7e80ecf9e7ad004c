"""Words of a forgotten person that other people's messages bring along."""

import json

import pytest

from tasks import keys
from tasks.envelope import DeadLetter, Inbound, OverheardMessage, Sender
from tasks.store import Store
from tasks.store.connection.erasure_scope import ErasureScope
from tasks.store.intake import Accept
from tests.harness.contents import everything
from tests.support.redis_of import redis_of
from tests.tasks.test_erasure import ANN, BOB, BOT, GROUP, erase, history, said


@pytest.mark.promise("forgotten")
async def test_words_that_another_persons_message_brings_along_go_and_the_message_stays(store: Store) -> None:
    context = tuple(OverheardMessage(sender=Sender(id=who), text=f"word of {who}") for who in (ANN, BOB))
    his = said(1, GROUP, BOB, overheard=context)
    await store.intake.accept(BOT, [Accept(1, inbound=his), Accept(2, inbound=said(2, GROUP, BOB))])
    kept = json.dumps([his.to_json()])
    await redis_of(store).hset(keys.state(GROUP), mapping={"failed": kept, "history": history(his)})
    await erase(store, ErasureScope(user=ANN))
    waiting = [Inbound.from_json(raw) for raw in await redis_of(store).lrange(keys.inbox(GROUP), 0, -1)]
    assert [(one.update_id, one.overheard) for one in waiting] == [(1, context[1:]), (2, ())]
    (retry,) = json.loads(await redis_of(store).hget(keys.state(GROUP), "failed"))
    assert Inbound.from_json(retry).overheard == context[1:]
    assert f"word of {ANN}" not in str(await everything(redis_of(store)))


@pytest.mark.promise("forgotten")
async def test_a_dead_letter_that_brings_along_words_of_the_person_goes(store: Store) -> None:
    context = (OverheardMessage(sender=Sender(id=ANN), text="annword"),)
    for number, overheard_ in enumerate((context, ()), 1):
        his = said(number, GROUP, BOB, overheard=overheard_)
        letter = DeadLetter(reason="x", at=1.0, session=his.session, update_id=number, inbound=his)
        await store.intake.accept(BOT, [Accept(number, dead=letter)])
    await erase(store, ErasureScope(user=ANN))
    kept = str(await everything(redis_of(store)))
    assert "annword" not in kept
    assert "bobword2" in kept
