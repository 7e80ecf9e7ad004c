"""`cohort find`: the way of a message by reference, chat, update, session, task or a hash from a log."""

import json
import re
from pathlib import Path

import pytest

from ops.commands.find import Sought
from tasks.envelope import DeadLetter, Inbound, Reply
from tasks.session import SessionKey
from tasks.slots import slot_of
from tasks.store import Store
from tasks.store.connection.erasure_scope import ErasureScope
from tasks.telemetry.logs import session_hash
from tasks.turn_record import CallStep, ToolStep, TurnRecord, TurnRecords, reference, task_id, with_reference
from tests.harness.command import cohort
from tests.support.redis_of import redis_of

SESSION = "4242:-100:t7"
OTHER = "4242:8"
ENDED = TurnRecord(
    session=SESSION,
    updates=(11, 12),
    worker="worker-1-a",
    outcome="answered",
    accepted=1000.0,
    begun=1000.5,
    first=1001.0,
    committed=1003.0,
    delivered=1003.25,
    steps=(ToolStep(tool="fetch", begun=1001.5, ended=1002.0), ToolStep(tool="book", begun=1002.0, failed=True)),
    calls=(
        CallStep(agent="poet", model="haiku", begun=1000.5, ended=1001.5, input_tokens=10, output_tokens=5),
        CallStep(begun=1002.0, ended=1002.5, failed=True),
    ),
)


@pytest.mark.promise("find")
async def test_a_turn_is_found_by_everything_that_names_it_and_nothing_else(store: Store) -> None:
    key = await store.trail.log_key()
    names = [
        reference(4242, 11),
        reference(4242, 12),
        "-100",
        "12",
        SESSION,
        task_id(4242, 11),
        session_hash(SESSION, key),
    ]
    names.append(re.search(r"\(Ref .*\)", with_reference("Sorry.", 4242, (12, 13)))[0])  # type: ignore[index]
    assert [name for name in names if not Sought.of(name, key).means(ENDED.session, set(ENDED.updates))] == []
    for name in ("13", "8", OTHER, reference(4242, 13), session_hash(OTHER, key)):
        assert not Sought.of(name, key).means(ENDED.session, set(ENDED.updates)), name


@pytest.mark.promise("find")
async def test_the_way_of_a_message_is_told_with_its_times_from_update_to_final_edit(
    store: Store, redis_url: str, tmp_path: Path
) -> None:
    await store.trail.append([ENDED, ENDED.model_copy(update={"session": OTHER, "updates": (13,)})])
    done = cohort("find", reference(4242, 12), home=tmp_path, REDIS_URL=redis_url)
    assert (done.returncode, done.stderr) == (0, "")
    head, *steps = done.stdout.splitlines()
    assert head.startswith(f"update 11, 12 of {SESSION}, answered by worker-1-a")
    assert [" ".join(step.split()[1:]) for step in steps] == [
        "00:16:41.500 tool fetch: 0.500 s",
        "00:16:42.000 tool book: did not end, failed",
        "00:16:40.500 model haiku (poet): 1.000 s, 10 tokens in, 5 out",
        "00:16:42.000 model ? (?): 0.500 s, 0 tokens in, 0 out, failed",
        "00:16:40.000 +0.000 s accepted",
        "00:16:40.500 +0.500 s turn begun",
        "00:16:41.000 +0.500 s first text",
        "00:16:43.000 +2.000 s committed",
        "00:16:43.250 +0.250 s final edit at Telegram",
    ]


@pytest.mark.promise("find")
async def test_a_reference_that_another_apology_replaced_leads_to_that_one(
    store: Store, redis_url: str, tmp_path: Path
) -> None:
    failed = TurnRecord(session=SESSION, updates=(10,), worker="w", outcome="failed", accepted=1000.0, begun=1000.5)
    await store.trail.append([failed, failed.model_copy(update={"updates": (11,), "stands_for": (10,)})])
    done = cohort("find", reference(4242, 10), home=tmp_path, REDIS_URL=redis_url)
    heads = [line for line in done.stdout.splitlines() if line.startswith("update ")]
    refs = [reference(4242, update) for update in (10, 11)]
    assert heads == [f"update {n} of {SESSION}, failed by w (ref {ref})" for n, ref in zip((10, 11), refs, strict=True)]
    assert f"its apology took the place of that with ref {refs[0]}" in done.stdout
    newer = cohort("find", refs[1], "--json", home=tmp_path, REDIS_URL=redis_url)
    assert [turn["replaced"] for turn in json.loads(newer.stdout)["turns"]] == [[refs[0]]]


@pytest.mark.promise("find")
async def test_an_answer_that_telegram_refused_for_good_is_not_told_as_its_final_edit(
    store: Store, redis_url: str, tmp_path: Path
) -> None:
    await store.trail.append([ENDED.model_copy(update={"delivered": None, "refused": "Topic_closed"})])
    told = cohort("find", reference(4242, 11), home=tmp_path, REDIS_URL=redis_url).stdout
    assert told.splitlines()[-1] == "  Telegram refused it for good, so it was dropped: Topic_closed"
    assert "final edit" not in told


@pytest.mark.promise("find")
async def test_a_voice_that_telegram_refused_is_told_beside_the_answer(
    store: Store, redis_url: str, tmp_path: Path
) -> None:
    await store.trail.append([ENDED.model_copy(update={"unheard": "Voice_messages_forbidden"})])
    told = cohort("find", reference(4242, 11), home=tmp_path, REDIS_URL=redis_url).stdout
    assert "final edit at Telegram" in told
    assert told.splitlines()[-1].endswith("its words stand in the chat: Voice_messages_forbidden")


@pytest.mark.promise("find")
async def test_a_message_that_waits_and_one_that_was_given_up_are_found_too(
    store: Store, redis_url: str, tmp_path: Path
) -> None:
    await redis_of(store).zadd(f"cohort:slot:{slot_of(SESSION, 64):02d}:pending", {SESSION: 100.0})
    for update in (21, 22):
        await redis_of(store).rpush(
            f"cohort:s:{SESSION}:inbox", Inbound(session=SESSION, update_id=update, at=100.0).to_json()
        )
    await redis_of(store).rpush(f"cohort:s:{SESSION}:outbox", Reply(text="private", answers=(20,)).to_json())
    letter = DeadLetter(reason="killed its worker 3 times", at=1.0, session=SESSION, update_id=19)
    await redis_of(store).xadd("cohort:dead", {"letter": letter.to_json()})
    done = cohort("find", "--json", "-100", home=tmp_path, REDIS_URL=redis_url)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [(one["where"], one["place"], one["owner"]) for one in found["waiting"]] == [
        ("inbox", 1, None),
        ("inbox", 2, None),
        ("outbox", 1, None),
    ]
    assert found["dead"][0]["reason"] == "killed its worker 3 times"
    assert "private" not in done.stdout


@pytest.mark.promise("find")
async def test_the_trace_of_a_message_is_told_and_a_chats_hash_finds_all_of_its_topics(
    store: Store, redis_url: str, tmp_path: Path
) -> None:
    ids = ("a" * 32, "b" * 32)
    await store.trail.append([ENDED.model_copy(update={"traces": ids})])
    await redis_of(store).zadd(f"cohort:slot:{slot_of(SESSION, 64):02d}:pending", {SESSION: 100.0})
    waiting = Inbound(session=SESSION, update_id=21, at=100.0, trace=f"00-{'c' * 32}-{'1' * 16}-01")
    await redis_of(store).rpush(f"cohort:s:{SESSION}:inbox", waiting.to_json())
    chat = session_hash("4242:-100", await store.trail.log_key())
    done = cohort("find", chat, home=tmp_path, REDIS_URL=redis_url)
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^  trace (\w+)$", done.stdout, flags=re.MULTILINE) == [*ids, "c" * 32]


async def test_what_is_not_known_is_one_line_and_status_1(redis_url: str, tmp_path: Path) -> None:
    done = cohort("find", "1a2b3c", home=tmp_path, REDIS_URL=redis_url)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("nothing is known of 1a2b3c")


async def test_the_newest_turns_come_first_and_bundles_that_cannot_be_read_hide_no_other(store: Store) -> None:
    await store.trail.append([ENDED, ENDED.model_copy(update={"updates": (2,)})])
    await redis_of(store).xadd("cohort:bot:4242:trail", {"turns": b"damaged"})
    await store.trail.append([ENDED.model_copy(update={"updates": (3,)})])
    assert [record.updates async for record in store.trail.newest()] == [(3,), (2,), (11, 12)]
    assert TurnRecords.unpacked(b"").records == ()


async def test_the_turns_of_a_forgotten_session_go_and_the_others_of_their_bundle_stay(store: Store) -> None:
    await store.trail.append([ENDED, ENDED.model_copy(update={"session": OTHER})])
    assert await store.trail.forget(ErasureScope(session=SessionKey.parse(SESSION))) == 1
    assert [record.session async for record in store.trail.newest()] == [OTHER]
