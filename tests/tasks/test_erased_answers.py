"""Erasing a person where their words stand in what is another's: answers to a turn's questions, and quotes."""

import json

import pytest

from tasks import keys
from tasks.chats.asking import GivenAnswer, HeldQuestion, OpenQuestion, ParkedTurn
from tasks.envelope import Inbound, Quoted
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.connection.erasure_scope import ERASED, ErasureScope
from tests.harness.contents import everything
from tests.support.kept import Someone
from tests.support.redis_of import redis_of
from tests.tasks.test_erasure import erase, history
from workers.runtime.conversation import stored

GROUP = SessionKey(4242, -1005550003)
ANN, BOB = Someone(4242, 7770001, "annword", GROUP), Someone(4242, 8880002, "bobword", GROUP)
QUESTION = OpenQuestion(id="q", key="k", kind="ask", about="which?", text="which?")


@pytest.mark.promise("forgotten")
@pytest.mark.parametrize(("field", "kind"), [("parked", ParkedTurn), ("held", HeldQuestion)])
@pytest.mark.parametrize("place", ["given", "earlier", "who"])
async def test_an_answer_to_anothers_turn_is_forgotten_and_the_turn_begins_again(
    store: Store, field: str, kind: type[ParkedTurn], place: str
) -> None:
    answer = {"q": GivenAnswer(words="annword", by="annword", person=ANN.person)}
    turn = kind(turn="3:1", taken=1, ends=1e9, who=(BOB.person,), anyone=True, questions=(QUESTION,))
    told = turn.model_copy(update={place: (BOB.person, ANN.person) if place == "who" else answer})
    await redis_of(store).rpush(keys.inbox(GROUP), BOB.said(3, GROUP).to_json())  # type: ignore[misc]
    state = {field: told.to_json(), "journal": "m", "epoch": "4", "owner": "w-one"}
    await redis_of(store).hset(keys.state(GROUP), mapping=state)  # type: ignore[misc]
    erased = await erase(store, ErasureScope(user=ANN.person))
    kept = await everything(redis_of(store))
    assert "annword" not in kept
    assert str(ANN.person) not in kept
    # Bob's message waits, and the turn that knew the answer writes nothing back.
    assert "bobword" in kept
    assert erased.groups == {GROUP}
    assert await redis_of(store).hget(keys.state(GROUP), "epoch") == b"5"  # type: ignore[misc]


@pytest.mark.promise("forgotten")
async def test_what_another_person_quotes_of_them_is_forgotten_and_the_quoting_message_stays(store: Store) -> None:
    quoting = BOB.said(3, GROUP, quote="annword", quoted=Quoted(sender=ANN.sender))
    own = BOB.said(4, GROUP, quote="bobword before", quoted=Quoted(sender=BOB.sender))
    await redis_of(store).rpush(keys.inbox(GROUP), quoting.to_json())  # type: ignore[misc]
    state = {"history": history(quoting, own), "failed": json.dumps([quoting.to_json()])}
    await redis_of(store).hset(keys.state(GROUP), mapping=state)  # type: ignore[misc]
    await erase(store, ErasureScope(user=ANN.person))
    assert "annword" not in await everything(redis_of(store))
    [waits] = [Inbound.from_json(raw) for raw in await redis_of(store).lrange(keys.inbox(GROUP), 0, -1)]  # type: ignore[misc]
    assert (waits.text, waits.quote, waits.quoted) == ("bobword", ERASED, Quoted())
    said = json.dumps(stored.read(await redis_of(store).hget(keys.state(GROUP), "history")))  # type: ignore[misc]
    assert f"<tg-quote>{ERASED}</tg-quote>" in said
    assert "bobword before" in said
    assert (await erase(store, ErasureScope(user=ANN.person))).counts.total() == 0
