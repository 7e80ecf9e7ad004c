"""Faults on order, the flood limit, and the journal that tells of them."""

import asyncio

import httpx
import pytest

from playground.client import PlaygroundClient, PlaygroundError
from tests.playground.test_sending import refused, sent


@pytest.fixture
async def chat(pg) -> int:
    return (await pg.chat())["id"]


async def test_flood_control_is_ordered_for_the_next_calls_only(pg, chat):
    await pg.fault("429", "sendMessage", times=2, retry_after=7)
    for _ in range(2):
        answer = await pg.call("sendMessage", chat_id=chat, text="x")
        assert answer == {
            "ok": False,
            "error_code": 429,
            "description": "Too Many Requests: retry after 7",
            "parameters": {"retry_after": 7},
        }
    await sent(pg, chat, "third time lucky")
    assert len(await pg.messages(chat)) == 1


async def test_a_fault_is_for_one_method_and_one_chat(pg, chat):
    other = (await pg.chat())["id"]
    await pg.fault("500", "editMessageText")
    await pg.fault("502", "sendMessage", chat=other)
    await sent(pg, chat, "not this one")
    assert await refused(pg, "sendMessage", chat_id=other, text="x") == (502, "Bad Gateway")
    await pg.clear_faults()
    message = await sent(pg, chat, "nor this")
    edit = {"chat_id": chat, "message_id": message["message_id"], "text": "edited"}
    assert (await pg.call("editMessageText", **edit))["ok"]


async def test_a_fault_can_let_calls_pass_first_and_be_any_error(pg, chat):
    words = "Forbidden: user is deactivated"
    await pg.fault("error", "sendMessage", skip=1, code=403, description=words)
    await sent(pg, chat, "passes")
    assert await refused(pg, "sendMessage", chat_id=chat, text="x") == (403, words)


async def test_a_connection_cut_before_leaves_nothing_done(pg, chat):
    await pg.fault("cut_before", "sendMessage")
    with pytest.raises(httpx.RemoteProtocolError):
        await pg.call("sendMessage", chat_id=chat, text="never")
    assert await pg.messages(chat) == []
    (entry,) = await pg.journal(method="sendMessage")
    assert (entry["code"], entry["fault"], entry["processed"]) == (0, "cut_before", False)


async def test_a_connection_cut_after_loses_only_the_answer(pg, chat):
    await pg.fault("cut_after", "sendMessage")
    with pytest.raises(httpx.RemoteProtocolError):
        await pg.call("sendMessage", chat_id=chat, text="done, unheard")
    (message,) = await pg.messages(chat)
    (entry,) = await pg.journal(method="sendMessage")
    assert (entry["code"], entry["fault"], entry["processed"]) == (0, "cut_after", True)
    assert entry["result"] == {"message_id": message["message_id"]}


async def test_other_connections_stay_when_one_is_cut(pg, url, chat):
    async with asyncio.timeout(60), PlaygroundClient(url) as other, asyncio.TaskGroup() as tasks:
        poll = tasks.create_task(other.call("getUpdates", timeout=50), name="poll")
        await pg.wait_polling()
        await pg.fault("cut_before", "sendMessage")
        with pytest.raises(httpx.RemoteProtocolError):
            await pg.call("sendMessage", chat_id=chat, text="x")
        await pg.say(chat, "still here?")
    assert len(poll.result()["result"]) == 1


async def test_an_answer_can_be_late_or_no_json(pg, chat):
    await pg.fault("delay", "sendMessage", seconds=0.05)
    await sent(pg, chat, "late")
    (entry,) = await pg.journal(method="sendMessage")
    assert entry["fault"] == "delay"
    await pg.fault("garbage", "getMe")
    answer = await pg._http.get(f"/bot{pg.token}/getMe")
    assert answer.status_code == 200
    with pytest.raises(ValueError, match="Expecting value"):
        answer.json()


async def test_unknown_faults_are_refused_with_the_known_ones(pg):
    with pytest.raises(PlaygroundError, match="cut_before, cut_after"):
        await pg.fault("meteor")
    with pytest.raises(PlaygroundError, match="wrong type"):
        await pg.fault("429", retry_after="soon")


async def test_the_flood_limit_is_per_chat_per_group_and_overall(pg, clock):
    clock.stop()
    chats = (await pg.bulk(40, 40)).chats
    group = (await pg.chat("group"))["id"]
    await pg.flood()
    for number in range(5):
        await sent(pg, chats[0], f"a short burst passes {number}")
    assert (await pg.call("sendMessage", chat_id=chats[0], text="no more"))["parameters"] == {"retry_after": 1}
    clock.ahead += 1
    for number in range(20):
        await sent(pg, group, f"group {number}")
    in_group = await pg.call("sendMessage", chat_id=group, text="one more")
    assert 50 <= in_group["parameters"]["retry_after"] <= 60
    clock.ahead += 1.5
    for chat in chats[:30]:
        await sent(pg, chat, "overall")
    assert (await pg.call("sendMessage", chat_id=chats[31], text="x"))["parameters"] == {"retry_after": 1}
    clock.ahead += 60
    message = await sent(pg, group, "a minute later")
    edit = {"chat_id": group, "message_id": message["message_id"]}
    for number in range(19):
        assert (await pg.call("editMessageText", **edit, text=str(number)))["ok"], "edits and messages share it"
    assert (await pg.call("editMessageText", **edit, text="x"))["error_code"] == 429
    assert (await pg.call("sendChatAction", chat_id=group, action="typing"))["ok"]
    assert (await pg.flood(on=False))["refused"] == 4
    await sent(pg, group, "no limit")


async def test_a_chat_that_was_refused_stays_closed_for_as_long_as_it_was_told(pg, clock):
    clock.stop()
    chat, other = (await pg.bulk(2, 2)).chats
    await pg.flood(burst=1, penalty=30)
    await sent(pg, chat, "one")
    assert (await pg.call("sendMessage", chat_id=chat, text="two"))["parameters"] == {"retry_after": 30}
    await sent(pg, other, "another chat is open")
    clock.ahead += 10
    assert (await pg.call("sendMessage", chat_id=chat, text="three"))["parameters"] == {"retry_after": 20}
    clock.ahead += 20
    await sent(pg, chat, "four")


@pytest.mark.parametrize("limits", [{"burst": 0}, {"penalty": -1}, {"per_chat": "many"}])
async def test_limits_that_mean_nothing_are_refused_with_a_reason(pg, limits):
    with pytest.raises(PlaygroundError, match=r"numbers|at least"):
        await pg.flood(**limits)


async def test_the_journal_numbers_every_call_without_gaps(pg, chat):
    await sent(pg, chat, "one", disable_notification=True)
    await pg.call("makeCoffee", sugar=2)
    await pg.call("sendMessage", chat_id=1, text="nobody")
    entries = await pg.journal()
    assert [entry["seq"] for entry in entries] == [1, 2, 3]
    assert [(entry["method"], entry["code"], entry["chat"]) for entry in entries] == [
        ("sendMessage", 200, chat),
        ("makeCoffee", 404, None),
        ("sendMessage", 400, 1),
    ]
    assert entries[0]["params"] == {"chat_id": chat, "text": "one", "disable_notification": True}
    assert entries[2]["description"] == "Bad Request: chat not found"
    assert all(entry["at"] <= entry["ended"] for entry in entries)


async def test_the_journal_is_filtered_and_read_on_from_a_number(pg, chat):
    for number in range(5):
        await sent(pg, chat, str(number))
        await pg.call("getMe")
    assert len(await pg.journal(method="sendMessage")) == 5
    assert len(await pg.journal(code=404)) == 0
    assert [entry["seq"] for entry in await pg.journal(8)] == [9, 10]
    assert [entry["seq"] for entry in await pg.journal(4, chat=chat, limit=1)] == [5, 7, 9]
    assert {entry["method"] for entry in await pg.journal(**{"except": "getMe"})} == {"sendMessage"}


async def test_the_journal_is_waited_for(pg, chat):
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(pg.wait_journal(2, method="sendMessage"), name="wait")
        await pg.call("getMe")
        await sent(pg, chat, "one")
        await sent(pg, chat, "two")
    assert [entry["params"]["text"] for entry in waiting.result()] == ["one", "two"]
    with pytest.raises(TimeoutError, match="0 of 1"):
        await pg.wait_journal(method="close", timeout=0.01)


async def test_uploads_stand_in_the_journal_by_name_and_size(pg, chat):
    files = {"document": ("a.txt", b"12345", "text/plain")}
    await pg._http.post(f"/bot{pg.token}/sendDocument", data={"chat_id": chat}, files=files)
    (entry,) = await pg.journal()
    assert entry["params"] == {"chat_id": str(chat), "document": {"file": "a.txt", "size": 5}}


async def test_the_journal_is_bounded_and_says_where_it_starts(pg, chat, state):
    for _ in range(8):
        await pg.call("getMe")
    state.journal._entries = type(state.journal._entries)(state.journal._entries, maxlen=5)
    assert [entry["seq"] for entry in await pg.journal()] == [4, 5, 6, 7, 8]
    with pytest.raises(LookupError, match="starts at 4"):
        await pg.journal(1)
