"""The small parts: interrupts in the background, signs of life, stopping, remembering."""

import asyncio
from datetime import timedelta

import pytest

from bot.acknowledgements import Acknowledgements
from bot.interrupts import Interrupts
from bot.process.stop import Stop, Stopped
from bot.recent import Recent
from botapi.errors import Refused, TelegramAway
from tasks.backoff import Backoff
from tasks.envelope import Inbound
from tasks.session import SessionKey
from tests.bot.stand_ins import SOON, HandClock, InterruptSpy, ShownSigns

ONE, TWO = SessionKey(1, 1), SessionKey(1, 2)


def word(session: SessionKey) -> Inbound:
    """A control word of a session."""
    return Inbound(session=str(session), update_id=1, at=1.0, kind="stop")


async def carried_out(interrupts: Interrupts) -> None:
    async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
        running = group.create_task(interrupts.run())
        await interrupts.flush()
        running.cancel()


async def test_interrupts_do_not_hold_up_the_next_batch() -> None:
    remote = InterruptSpy()
    remote.held.clear()
    interrupts = Interrupts(remote)
    async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
        running = group.create_task(interrupts.run())
        interrupts.order([word(ONE)])
        interrupts.order([word(TWO)])
        assert remote.interrupted == [], "no caller has waited for them"
        remote.held.set()
        await interrupts.flush()
        running.cancel()
    assert remote.interrupted == [ONE, TWO]


async def test_a_defect_of_the_broker_does_not_end_the_interrupting() -> None:
    remote = InterruptSpy()
    remote.broken = RuntimeError("surprise")
    interrupts = Interrupts(remote)
    interrupts.order([word(ONE)])
    await carried_out(interrupts)
    remote.broken = None
    interrupts.order([word(TWO)])
    await carried_out(interrupts)
    assert remote.interrupted == [TWO]


class FailingSigns(ShownSigns):
    def __init__(self, *problems: Exception) -> None:
        super().__init__()
        self._problems = list(problems)

    async def typing(self, session: SessionKey) -> None:
        if self._problems:
            raise self._problems.pop(0)
        await super().typing(session)


async def signed(acks: Acknowledgements) -> None:
    async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
        running = group.create_task(acks.run())
        await acks.flush()
        running.cancel()


async def test_a_sign_that_fails_harms_no_chat() -> None:
    clock = HandClock()
    signs = FailingSigns(Refused("blocked"), TelegramAway("NetworkError"))
    acks = Acknowledgements(signs, clock)
    acks.typing([ONE])
    await signed(acks)
    acks.typing([ONE])
    await signed(acks)
    acks.typing([TWO])
    acks.press("7", "hi")
    await signed(acks)
    assert (signs.typed, signs.pressed) == ([TWO], [("7", "hi")])


async def test_after_a_429_no_chat_is_shown_typing_until_it_is_over() -> None:
    clock = HandClock()
    signs = FailingSigns(TelegramAway("flood", 30))
    acks = Acknowledgements(signs, clock)
    acks.typing([ONE])
    await signed(acks)
    acks.typing([TWO])
    clock.time += 31
    acks.typing([TWO])
    await signed(acks)
    assert signs.typed == [TWO]


async def test_signs_that_would_come_too_late_are_dropped() -> None:
    acks = Acknowledgements(signs := ShownSigns(), HandClock())
    acks.typing(SessionKey(1, number) for number in range(1000))
    await signed(acks)
    assert 0 < len(signs.typed) < 100


async def test_a_stop_cuts_what_may_be_cut_and_leaves_the_rest() -> None:
    stop = Stop()
    reached, finished = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        reached.set()
        with pytest.raises(Stopped):
            async with stop.cuts():
                await asyncio.Event().wait()
        finished.set()

    async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
        group.create_task(work())
        await reached.wait()
        stop.set()
        await finished.wait()
    with pytest.raises(Stopped):
        async with stop.cuts():
            await asyncio.Event().wait()
    await stop.pause(3600)
    with stop.child() as late:
        assert late.is_set


async def test_a_timeout_inside_a_cut_is_still_a_timeout() -> None:
    with pytest.raises(TimeoutError):
        async with Stop().cuts(), asyncio.timeout(0):
            await asyncio.Event().wait()


async def test_a_child_stops_with_its_parent_and_not_the_other_way_round() -> None:
    parent = Stop()
    with parent.child() as child:
        child.set()
        assert not parent.is_set
    with parent.child() as child:
        parent.set()
        assert child.is_set


def test_what_happened_lately_is_forgotten_after_a_while_and_bounded() -> None:
    clock = HandClock()
    recent = Recent(timedelta(seconds=10), 3, clock)
    recent.add("a")
    clock.time += 9
    assert "a" in recent
    clock.time += 1
    assert "a" not in recent
    for name in "wxyz":
        recent.add(name)
    assert [name in recent for name in "wxyz"] == [False, True, True, True]


def test_failures_make_no_hot_loop() -> None:
    pauses = Backoff(jitter=lambda: 0.0)
    assert [pauses.next() for _ in range(6)] == [1, 2, 4, 8, 10, 10]
    assert pauses.next(at_least=33) == 33
    pauses.reset()
    assert pauses.next() == 1
    assert 0.75 <= Backoff(jitter=lambda: 1.0).next() < 1
