"""A control word where no worker can carry it out: the bot says that it holds, once, and the next worker knows it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest

from bot.commands.languages import Languages
from bot.stand_in import StandIn
from tasks.chats.asking import GivenAnswer, ParkedTurn
from tasks.envelope import Inbound, Sender
from tasks.phrases import phrase
from tasks.session import SessionKey
from tasks.status.worker import WorkerStatus
from tasks.stopping import exchange_of
from tasks.store import Store
from tasks.store.intake import Accept
from tests.bot.conftest import BOT
from tests.support.own_replies import own_replies
from tests.support.redis_of import redis_of

ONE = SessionKey(BOT, 1)
CHOICES = {"choose": {"model": "haiku"}, "conversation": {"title": "Plans"}}
AGAIN = ("retry", "undo")
WAITS_S = 1.0
"""A person whose worker died waits for the answer to a /stop no longer, beside what Redis and Telegram take."""


def said(number: int, kind: str) -> Inbound:
    """A person's message or control word."""
    given = {"session": str(ONE), "update_id": number, "at": 1.0, "kind": kind, "text": "" if kind == "new" else "a"}
    return Inbound.model_validate({**given, "choice": CHOICES.get(kind, {})})


@dataclass
class Told:
    """A bot that looks after a /stop; ``meanwhile`` happens at its last wait."""

    store: Store
    woken: int = 0
    meanwhile: Callable[[], Awaitable[object]] | None = None
    naps: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        if len(self.naps) > 1 and self.meanwhile is not None:
            await self.meanwhile()

    def wake(self) -> None:
        self.woken += 1

    async def says(self, *kinds: str) -> list[str]:
        """A person says these, the last of them is looked after; what the bot has to say then."""
        entries = [said(number, kind) for number, kind in enumerate(kinds, 1)]
        await self.store.intake.accept(BOT, [Accept(entry.update_id, inbound=entry) for entry in entries])
        languages = Languages(self.store.sessions)
        await StandIn(self.store.sessions.owners, languages, self.wake, sleep=self.sleep).watch(entries[-1])
        return [reply.text for _, reply in await own_replies(self.store, BOT)]


@pytest.fixture
async def told(store: Store) -> Told:
    return Told(store)


async def owned(store: Store, *, alive: bool = True) -> None:
    """A worker owns the session; it lives, or its supervisor has seen it die."""
    await store.members.beat("w-one", WorkerStatus(), timedelta(seconds=60), member=False)
    await store.sessions.claim(ONE, "w-one")
    if not alive:
        await store.members.report_death("w-one")


async def inbox(store: Store) -> list[Inbound]:
    raws = await cast("Any", redis_of(store)).lrange(f"cohort:s:{ONE}:inbox", 0, -1)
    return [Inbound.from_json(raw) for raw in raws]


async def state(store: Store) -> dict[str, str]:
    found = cast("dict[bytes, bytes]", await cast("Any", redis_of(store)).hgetall(f"cohort:s:{ONE}:state"))
    return {name.decode(): value.decode() for name, value in found.items()}


@pytest.mark.promise("stop-after-death")
@pytest.mark.parametrize("alive", [True, False], ids=["stands still", "dead"])
async def test_the_bot_says_it_where_the_only_worker_is_gone(told: Told, alive: bool) -> None:
    await owned(told.store, alive=alive)
    await redis_of(told.store).hset(f"cohort:s:{ONE}:state", mapping={"live": "7", "live_more": "7:8"})
    assert await told.says("message", "stop") == ["Stopped."]
    (reply,) = [reply for _, reply in await own_replies(told.store, BOT)]
    assert (reply.disarms, reply.answers, told.woken) == ((8,), (2,), 1)
    ((retry, undo),) = reply.buttons
    # As a worker's has them (``workers.sessions.commands.again``).
    assert [button.data for button in (retry, undo)] == [f"{word}:{exchange_of(said(2, 'stop'))}" for word in AGAIN]
    assert [entry.told for entry in await inbox(told.store)] == [False, True]
    assert 0 < sum(told.naps) < WAITS_S
    # A worker that only stood still writes nothing any more.
    assert "owner" not in await state(told.store)


@pytest.mark.promise("stop-after-death")
async def test_it_counts_what_waited(told: Told) -> None:
    assert await told.says("message", "message", "choose", "message", "stop") == ["Stopped. 3 messages were skipped."]
    assert 0 < sum(told.naps) < WAITS_S


@pytest.mark.promise("stop-after-death")
@pytest.mark.parametrize("where", ["parked", "held"])
@pytest.mark.parametrize(
    ("word", "line"), [("stop", "Stopped."), ("new", "New conversation. I skipped your last message.")]
)
async def test_words_that_answered_a_question_of_the_turn_are_no_message_that_was_skipped(
    told: Told, where: str, word: str, line: str
) -> None:
    """The worker counts them so, too: they had what they were for."""
    given = {"a": GivenAnswer(verdict="yes", words="four", plain="four", update_id=2)}
    turn = ParkedTurn(turn="t", taken=1, ends=1e12, earlier=given)
    await redis_of(told.store).hset(f"cohort:s:{ONE}:state", where, turn.to_json())
    assert await told.says("message", "message", word) == [line]


@pytest.mark.promise("stop-after-death")
async def test_a_worker_that_renews_its_heartbeat_says_it_itself(told: Told) -> None:
    await owned(told.store)

    async def beats() -> None:
        await told.store.members.beat("w-one", WorkerStatus(), timedelta(seconds=90), member=False)

    told.meanwhile = beats
    assert await told.says("message", "stop") == []
    assert (await state(told.store))["owner"] == "w-one"


async def test_so_does_a_worker_that_takes_the_session_over_meanwhile(told: Told) -> None:
    await owned(told.store, alive=False)

    async def claims() -> None:
        await told.store.members.beat("w-two", WorkerStatus(), timedelta(seconds=60), member=False)
        await told.store.sessions.claim(ONE, "w-two")

    told.meanwhile = claims
    assert await told.says("message", "stop") == []
    assert (await state(told.store))["owner"] == "w-two"


async def test_an_answer_that_waits_to_be_delivered_comes_first(told: Told) -> None:
    await owned(told.store, alive=False)
    await redis_of(told.store).rpush(f"cohort:s:{ONE}:outbox", '{"v": 1, "text": "answer"}')
    assert await told.says("message", "stop") == []


@pytest.mark.parametrize(
    ("kinds", "line"),
    [
        (("stop",), "There's nothing to stop."),
        (("new",), "New conversation."),
        (("message", "new"), "New conversation. I skipped your last message."),
        (("choose",), "Switched to haiku."),
        (("conversation",), "This conversation is now called: Plans"),
    ],
)
async def test_what_holds_as_soon_as_it_is_stored_is_said_of_every_word(
    told: Told, kinds: tuple[str, ...], line: str
) -> None:
    assert await told.says(*kinds) == [line]
    assert (await inbox(told.store))[-1].told
    assert told.woken == 1


async def test_a_new_says_to_its_person_alone_that_their_message_was_skipped(told: Told) -> None:
    entries = [
        said(number, kind).model_copy(update={"sender": Sender(id=number, name="x")})
        for number, kind in enumerate(("message", "new"), 1)
    ]
    await told.store.intake.accept(BOT, [Accept(entry.update_id, inbound=entry) for entry in entries])
    languages = Languages(told.store.sessions)
    await StandIn(told.store.sessions.owners, languages, told.wake, sleep=told.sleep).watch(entries[-1])
    assert [reply.text for _, reply in await own_replies(told.store, BOT)] == [
        "New conversation. 1 message was skipped."
    ]


@pytest.mark.parametrize("kinds", [("message",), *(("message", word) for word in ("compact", "retry", "undo"))])
async def test_what_only_a_worker_can_do_is_left_to_it(told: Told, kinds: tuple[str, ...]) -> None:
    assert await told.says(*kinds) == []
    assert told.woken == 0


async def test_an_answer_of_redis_that_was_lost_tells_nothing_twice(told: Told) -> None:
    await told.says("message", "stop")
    word = said(2, "stop")
    (line,) = [reply for _, reply in await own_replies(told.store, BOT)]
    assert await told.store.sessions.owners.stand_in(ONE, None, word, line)
    assert len(await own_replies(told.store, BOT)) == 1


@pytest.mark.parametrize("word", ["compact", "retry", "undo"])
async def test_what_needs_a_worker_is_said_to_come_where_none_is_there(told: Told, word: str) -> None:
    await owned(told.store, alive=False)
    assert await told.says(word) == [phrase("when-possible")]
    # It is still to be done, and its worker says how it ended.
    assert [entry.kind for entry in await inbox(told.store)] == [word]


async def test_a_retry_that_asks_a_person_is_not_said_to_come(told: Told) -> None:
    # Its worker let the session go with the question, and the word stays in the inbox until it is answered.
    await redis_of(told.store).hset(f"cohort:s:{ONE}:state", "parked", "{}")
    assert await told.says("retry") == []
    assert told.woken == 0


@pytest.mark.parametrize("word", ["compact", "retry", "undo"])
async def test_a_living_worker_that_takes_long_over_it_keeps_it(told: Told, word: str) -> None:
    await owned(told.store)
    assert await told.says(word) == []
    assert (await state(told.store))["owner"] == "w-one"
