"""getUpdates: numbering, confirmation, long polling, conflicts."""

import asyncio

import pytest

from playground.client import PlaygroundClient
from playground.state.world import State
from tests.playground.conformance import check_update

OTHER = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"


async def ids(pg: PlaygroundClient, **params) -> list[int]:
    answer = await pg.call("getUpdates", **params)
    assert answer["ok"], answer
    return [update["update_id"] for update in answer["result"]]


async def test_update_ids_are_sequential_and_start_anywhere(pg, state):
    many = await pg.bulk(5, 2)
    assert await ids(pg) == list(range(many.first_update_id, many.first_update_id + 5))
    assert State().bot.queue.next_id != State().bot.queue.next_id


async def test_updates_come_again_until_an_offset_confirms_them(pg):
    first = (await pg.bulk(5)).first_update_id
    assert await ids(pg, offset=0) == await ids(pg, offset=first) == list(range(first, first + 5))
    assert await ids(pg, offset=first + 3) == [first + 3, first + 4]
    assert await ids(pg, offset=0) == [first + 3, first + 4]
    assert (await pg.queue())["pending"] == 2


async def test_a_negative_offset_keeps_only_the_newest(pg):
    last = (await pg.bulk(10)).last_update_id
    assert await ids(pg, offset=-2) == [last - 1, last]
    assert await ids(pg, offset=0) == [last - 1, last]


async def test_an_offset_from_the_future_confirms_nothing(pg):
    first = (await pg.bulk(3)).first_update_id
    assert await ids(pg, offset=first + 1_000_000) == [first, first + 1, first + 2]


@pytest.mark.parametrize(("limit", "handed_out"), [(1, 1), (7, 7), (0, 1), (500, 100), ("x", 100)])
async def test_the_limit_is_one_to_a_hundred(pg, limit, handed_out):
    await pg.bulk(150)
    assert len(await ids(pg, limit=limit)) == handed_out


async def test_a_long_poll_is_answered_by_the_next_message(pg):
    chat = (await pg.chat())["id"]
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        poll = tasks.create_task(pg.call("getUpdates", timeout=50), name="poll")
        said = await pg.say(chat, "hello")
    assert [update["update_id"] for update in poll.result()["result"]] == [said.update_id]


async def test_a_second_poller_ends_the_first_with_a_conflict(pg):
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        first = tasks.create_task(pg.call("getUpdates", timeout=50), name="first")
        await pg.wait_polling()
        second = tasks.create_task(pg.call("getUpdates", timeout=50), name="second")
        ended = await pg.wait_journal(method="getUpdates", code="409")
        await pg.bulk(1)
    assert ended[0]["description"] == OTHER
    assert first.result() == {"ok": False, "error_code": 409, "description": OTHER}
    assert len(second.result()["result"]) == 1


async def test_a_poller_that_hangs_up_takes_nothing_with_it(pg, url):
    impatient = PlaygroundClient(url)
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        poll = tasks.create_task(impatient.call("getUpdates", timeout=50), name="poll")
        await pg.wait_polling()
        poll.cancel()
        gone = await pg.wait_journal(method="getUpdates", code="0")
    await impatient.close()
    assert gone[0]["result"] is None
    many = await pg.bulk(2)
    assert await ids(pg) == [many.first_update_id, many.last_update_id]


async def test_unwanted_kinds_are_not_kept_and_the_choice_lasts(pg):
    chat = (await pg.chat())["id"]
    await pg.call("getUpdates", allowed_updates=["edited_message"])
    said = await pg.say(chat, "unwanted")
    assert said.update_id is None
    edited = await pg.edit(chat, said.message_id, "wanted")
    assert await ids(pg) == [edited.update_id]
    await pg.call("getUpdates", allowed_updates=[])
    assert (await pg.say(chat, "wanted again")).update_id == edited.update_id + 1


async def test_reactions_must_be_asked_for(pg):
    chat = (await pg.chat())["id"]
    said = await pg.say(chat, "hi")
    assert await pg.react(chat, said.message_id, "👍") is None
    await pg.call("getUpdates", allowed_updates=["message_reaction"])
    assert await pg.react(chat, said.message_id, "❤") == said.update_id + 1


async def test_updates_are_forgotten_after_a_day(pg, clock):
    await pg.bulk(3)
    clock.ahead += 24 * 3600 + 1
    late = await pg.bulk(1)
    assert await ids(pg) == [late.first_update_id]


async def test_confirmed_updates_come_again_on_demand(pg):
    many = await pg.bulk(4)
    assert await ids(pg, offset=many.last_update_id + 1) == []
    assert await pg.redeliver(2) == 2
    new = await pg.bulk(1)
    assert await ids(pg, offset=new.first_update_id) == [
        many.last_update_id - 1,
        many.last_update_id,
        new.first_update_id,
    ]
    assert await ids(pg, offset=new.first_update_id) == [new.first_update_id]


async def test_anything_can_be_injected_as_an_update(pg):
    strange = [{"message": "no object"}, {"a_kind_of_next_year": {}}, "not even an object", None, {"message": {}}]
    numbers = await pg.inject(*strange)
    assert numbers == list(range(numbers[0], numbers[0] + 5))
    await pg.inject({"poll": {}}, bare=True)
    got = (await pg.call("getUpdates"))["result"]
    assert got[0] == {"update_id": numbers[0], "message": "no object"}
    assert got[2:4] == ["not even an object", None]
    assert got[5] == {"poll": {}}


async def test_an_update_shows_the_message_as_it_was(pg):
    chat = (await pg.chat())["id"]
    said = await pg.say(chat, "first words")
    await pg.edit(chat, said.message_id, "other words")
    before, after = (await pg.call("getUpdates"))["result"]
    assert before["message"]["text"] == "first words"
    assert after["edited_message"]["text"] == "other words"
    assert "edit_date" in after["edited_message"]
    check_update(before)
    check_update(after)
