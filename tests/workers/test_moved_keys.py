"""A group becomes a supergroup: what of it comes along, of each kind of key, and why the rest stays."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
from aiogram import types as tg

from bot.groups.paused import following
from tasks import keys, session_files
from tasks.chats.access import Access, Person
from tasks.envelope import OverheardMessage, Sender
from tasks.store.state import StateField
from tests.bot.conftest import ME, make_bot
from tests.bot.updates import said
from tests.conftest import BOT
from tests.support.redis_of import redis_of
from tests.workers.pool import Pool
from tests.workers.test_moving import NEW, OLD, settled

GROUP = tg.Chat(id=OLD.chat, type="group", title="Friends")
SUPERGROUP = tg.Chat(id=NEW.chat, type="supergroup", title="Friends")

COME = {
    "cohort:s:*:inbox",
    "cohort:s:*:outbox",
    "cohort:s:*:state",
    "cohort:s:*:notes",
    "cohort:s:*:earlier",
    "cohort:bot:*:people",
    "cohort:bot:*:overheard:*",
    "cohort:paused",
    "cohort:moved-groups",
    "cohort:reminders",
    "cohort:reminders:*",
}
"""Kinds of keys that name the supergroup afterwards, and the group no more."""

STAY = {
    "cohort:s:*:journal": "steps are of the old chat's messages: a turn that waits for people begins again",
    "cohort:bot:*:replies": "the refusal names the supergroup, to which the line goes",
    "cohort:bot:*:strangers": "a line of a minute",
    "cohort:bot:*:told": "a line of an hour",
    "cohort:bot:*:asked:*": "admins decide about the supergroup as about a new group",
    "cohort:bot:*:brought:*": "an update of the group may come again",
    "cohort:bot:*:album:*": "parts of a minute; those of the supergroup have another album",
    "cohort:bot:*:answers:*": "messages by their numbers, which mean others in the supergroup",
    "cohort:bot:*:feedback": "thumbs at messages that stand in the group",
    "cohort:bot:*:closed": "says that the group moved",
    "cohort:bot:*:dead": "a letter that is tried again goes to where the group went",
    "cohort:dead": "the same",
    "cohort:bot:*:trail": "what happened in the group",
    "cohort:trail": "the same",
    "cohort:slot:*:pending": "until the session is fetched",
    "cohort:slot:*:parked": "until the session is let go",
    "cohort:own:*": "a lease of seconds",
    "cohort:own-wanted": "the supergroup asks for a process of its own",
    "cohort:pace:*": "what Telegram counts by chat",
    "cohort:usage:*": "a day's tokens; a group moves once in its life, and then begins a second allowance for that day",
    "cohort:broadcast-left:*": "the refusal names the supergroup, to which the message goes",
}
"""Kinds that may name the group, and why nothing of them comes along."""

NAME_NONE = {
    "cohort:bot:*:seen": "numbers of updates",
    "cohort:bot:*:poller": "a process",
    "cohort:bot:*:zones": "people",
    "cohort:bot:*:business": "connections of people's accounts",
    "cohort:bot:*:typed:*": "people",
    "cohort:bot:*:named:*": "a topic; a group that can still become a supergroup has none",
    "cohort:bot:*:pairing": "a digest",
    "cohort:bot:*:guesses": "a count",
    "cohort:bot:*:logins:*": "people; a login that has begun for a group's turn begins again with the turn",
    "cohort:bots": "processes",
    "cohort:worker:*": "processes",
    "cohort:node:*": "processes",
    "cohort:members": "processes",
    "cohort:draining": "processes",
    "cohort:assignment": "slots and processes",
    "cohort:own-hosts": "processes",
    "cohort:layout": "the deployment",
    "cohort:recorded": "bots",
    "cohort:metrics:*": "no label names a chat",
    "cohort:rollup:*": "counts by model",
    "cohort:reminder-number": "a count",
    "cohort:broadcast:*": "counts",
    "cohort:broadcast-lease:*": "a process",
    "cohort:alert:*": "causes",
}

FIELDS_LEFT = {
    StateField.owner: "of the old session's owner, as are the next ones",
    StateField.epoch: "the fence",
    StateField.commit: "the fence",
    StateField.tries: "goes with the messages that wait, as do the next ones",
    StateField.batch_size: "",
    StateField.isolate_next: "",
    StateField.journal: "of the turn that runs: the next ones go with it",
    StateField.parked: "begins again",
    StateField.asked: "messages of the old chat",
    StateField.held: "begins again",
    StateField.refused: "asked for again",
    StateField.over_budget: "said again at most once",
    StateField.standing: "the same",
    StateField.stood_in: "of buttons in the old chat",
    StateField.pressed: "the same",
    StateField.waits: "said again at most once",
    StateField.resets: "of the turn that ran",
    StateField.live: "a message of the old chat",
    StateField.live_more: "the same",
    StateField.drafted: "of private chats",
    StateField.told_in: "the same",
    StateField.said: "messages by their numbers",
    StateField.tongue: "of private chats",
    StateField.touched: "the next commit says so",
    StateField.migrating_from: "of the move itself, as are the next ones",
    StateField.migrated_to: "",
    StateField.migration_done: "",
}
"""Fields of the state that do not come along, and why."""


def test_each_kind_of_key_comes_along_or_is_said_to_stay() -> None:
    assert sorted([*COME, *STAY, *NAME_NONE]) == sorted(kind.pattern for kind in keys.KINDS)


async def plant(pool: Pool) -> None:
    """Something of the group in each kind of key that comes along."""
    store, r = pool.store, cast("Any", redis_of(pool.store))
    fields = {name: json.dumps([name.value]) if name in _LISTS else "7" for name in StateField}
    mapping = {name.value: value for name, value in fields.items() if name not in FIELDS_LEFT}
    await r.hset(keys.state(OLD), mapping={**mapping, StateField.epoch.value: "3"})
    await store.notes.remember(OLD, "name", "Ann")
    await r.hset(keys.earlier(OLD), "1", "x")
    await store.people.put(BOT, OLD.chat, Person(role="guest"))
    await store.pauses.pause("turns", OLD)
    await store.reminders.add(OLD, "tea", 3600, by=1)
    heard = OverheardMessage(sender=Sender(id=1, name="Ann"), text="at 8?")
    await r.rpush(keys.overheard(OLD), f"9 {heard.model_dump_json()}")


_LISTS = (StateField.retry_batch, StateField.allowed)


@pytest.mark.promise("moved")
async def test_what_a_group_has_comes_along_whichever_kind_of_key_holds_it(pool: Pool, tmp_path: Path) -> None:
    (tmp_path / "chats.yaml").write_text(f"chats:\n  {OLD.chat}: {{agent: poet}}\n")
    settings = pool.settings.model_copy(update={"chats": tmp_path / "chats.yaml"})
    await plant(pool)
    worker = await pool.worker("w-one", COHORT_HOME=str(tmp_path))
    (session_files.place(tmp_path, OLD) / "kept.txt").write_text("kept")
    bot = make_bot(settings, pool.store, access=Access(everybody=False, allow=frozenset()))
    bot.chats.look()
    moved = (
        said(chat=GROUP, sender=None, migrate_to_chat_id=NEW.chat, update_id=1, message_id=10),
        said(chat=SUPERGROUP, sender=None, migrate_from_chat_id=OLD.chat, update_id=2, message_id=1),
    )
    await following(bot.intake.take, ME, pool.store.pauses)(moved)
    # A worker's view of pauses is its process's; here the pause is lifted as an operator does it.
    assert {str(one) for one in (await pool.store.pauses.look()).sessions} == {str(NEW)}
    await worker.answer(OLD)
    await worker.answer(NEW)
    assert (session_files.where(tmp_path, NEW) / "kept.txt").read_text() == "kept"
    state = await pool.state(NEW)
    assert sorted(StateField) == sorted({*FIELDS_LEFT, *(name for name in StateField if name.value in state)})
    heard = await cast("Any", redis_of(pool.store)).lrange(keys.overheard(NEW), 0, -1)
    assert [one.partition(b" ")[0] for one in heard] == [b"0"], "its number means another message there"
    await settled(pool, worker)
    await only_there(pool)


async def only_there(pool: Pool) -> None:
    """Nothing but the old state's fence, and what says where the group went, names the group."""
    names = {name.decode() async for name in redis_of(pool.store).scan_iter(match="cohort:*")}
    found = {kind.pattern: name for name in names if (kind := keys.kind_of(name)) is not None}
    assert COME - set(found) <= {"cohort:s:*:inbox", "cohort:s:*:outbox"}, "those are empty by now"
    for name in names - {keys.state(OLD), keys.MOVED_GROUPS}:
        kind = keys.kind_of(name)
        if kind is not None and kind.pattern in COME:
            assert str(OLD.chat) not in f"{name} {await held(pool, name)}".replace(str(NEW.chat), ""), name


async def held(pool: Pool, name: str) -> str:
    """What a key holds."""
    r = cast("Any", redis_of(pool.store))
    match (await r.type(name)).decode():
        case "list":
            return str(await r.lrange(name, 0, -1))
        case "hash":
            return str(await r.hgetall(name))
        case _:
            return str(await r.zrange(name, 0, -1))
