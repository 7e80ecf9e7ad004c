"""Pickers and lists show what their person may use: no button in them is refused in words to who opened them."""

from pathlib import Path

import pytest

from bot.commands.offered import WhoControls
from tasks import keys
from tasks.chats.access import Access, Person
from tasks.chats.conversations import Conversation, Current, written
from tasks.chats.roles import Role
from tasks.config.settings import load
from tasks.envelope import Reply
from tasks.phrases import phrase
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.earlier import INDEX
from tests.bot.conftest import BotUnderTest, make_bot
from tests.bot.updates import ANN, BEN, BOT, GROUP, PRIVATE, message, pressed, said
from tests.conftest import BOT as ID
from tests.support.own_replies import own_replies
from tests.support.redis_of import redis_of

RULES = """roles:
  commands: {resume: admin, forget: admin, title: owner}
  agents: {poet: admin, scribe: owner}
  models: {opus: admin, "gold*": owner}
"""
OPENING = ("/agent", "/model", "/queue", "/sessions", "/memory", "/reminders", "/agent unknown", "/model none")
ROLES: tuple[Role, ...] = ("owner", "admin", "member", "guest")


async def some_bot(redis_url: str, store: Store, tmp_path: Path, control: WhoControls) -> BotUnderTest:
    (tmp_path / "chats.yaml").write_text(RULES)
    given = {
        "REDIS_URL": redis_url,
        "TELEGRAM_BOT_TOKEN": f"{ID}:x",
        "COHORT_MODELS": "haiku,opus,gold-1",
        "COHORT_CHATS": str(tmp_path / "chats.yaml"),
        "COHORT_GROUP_CONTROL": control,
    }
    bot = make_bot(load(given), store, access=Access(everybody=False, allow=frozenset()))
    bot.agents.names = ("cook", "poet", "scribe")
    for chat in (BEN.id, GROUP.id):
        session = SessionKey(ID, chat)
        index = [Conversation(number=n, title=f"talk {n}", at=86_400.0 * n) for n in range(1, 12)]
        await redis_of(store).hset(keys.earlier(session), INDEX, written(index))
        current = Current(number=12, last=12)
        await redis_of(store).hset(keys.state(session), "conversation", current.model_dump_json())
        await store.notes.remember(session, "food", "Likes soup")
        for text in ("water the plants", "call Ann"):
            await store.reminders.add(session, text, 3600, by=BEN.id)
    return bot


async def is_now(bot: BotUnderTest, who: int, role: Role) -> None:
    await bot.store.people.put(ID, who, Person(role=role))
    await bot.people.refresh()


def data_of(shown: Reply) -> list[str]:
    return [button.data for row in shown.buttons for button in row]


@pytest.mark.promise("offered")
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("group", "control"), [(False, "everyone"), (True, "everyone"), (True, "admins"), (True, "asker")]
)
async def test_no_button_of_a_list_is_refused_to_who_opened_it(
    redis_url: str, store: Store, tmp_path: Path, role: Role, *, group: bool, control: WhoControls
) -> None:
    bot = await some_bot(redis_url, store, tmp_path, control)
    await is_now(bot, BEN.id, role)
    chat, number = GROUP if group else PRIVATE.model_copy(update={"id": BEN.id}), 0
    for word in OPENING:
        number += 1
        opened = message(word, chat=chat, sender=BEN, message_id=number)
        before = len(await own_replies(store, ID, 1000))
        await bot.intake.take([said(word, chat=chat, sender=BEN, message_id=number, update_id=number)])
        new = (await own_replies(store, ID, 1000))[before:]
        for data in [data for _, shown in new for data in data_of(shown)]:
            number += 1
            under = message("list", chat=chat, sender=BOT, reply_to_message=opened, message_id=number)
            told = len(bot.signs.pressed)
            await bot.intake.take([pressed(data, under, update_id=number, by=BEN)])
            await bot.followed()
            says = " ".join(words or "" for _, words in bot.signs.pressed[told:])
            assert "Only" not in says, (word, data, says)
            assert says != phrase("guests"), (word, data)


@pytest.mark.promise("offered")
async def test_the_words_of_a_list_name_only_what_its_person_may_use(
    redis_url: str, store: Store, tmp_path: Path
) -> None:
    bot = await some_bot(redis_url, store, tmp_path, "everyone")
    await is_now(bot, BEN.id, "member")
    chat = PRIVATE.model_copy(update={"id": BEN.id})
    await bot.intake.take([said(w, chat=chat, sender=BEN, message_id=n, update_id=n) for n, w in enumerate(OPENING, 1)])
    words = [text for _, text in await bot.said()]
    not_his = ("poet", "scribe", "opus", "gold", "/forget", "/resume", "/title")
    assert [(name, text) for text in words for name in not_his if name in text] == []
    await is_now(bot, BEN.id, "owner")
    await bot.intake.take(
        [said(w, chat=chat, sender=BEN, message_id=n, update_id=n) for n, w in enumerate(OPENING, 21)]
    )
    words = "\n".join(text for _, text in (await bot.said())[len(words) :])
    assert all(name in words for name in ("poet", "scribe", "opus", "gold", "/forget", "/resume", "/title"))


@pytest.mark.promise("offered")
async def test_a_groups_picker_stays_that_of_who_opened_it(redis_url: str, store: Store, tmp_path: Path) -> None:
    """An admin may press in it, and may choose there what is in it; the worker is told what it hides."""
    bot = await some_bot(redis_url, store, tmp_path, "everyone")
    await is_now(bot, BEN.id, "member")
    await is_now(bot, ANN.id, "admin")
    opened = message("/agent", chat=GROUP, sender=BEN, message_id=1)
    picker = message("picker", chat=GROUP, sender=BOT, reply_to_message=opened, message_id=2)
    await bot.intake.take(
        [
            said("/new and hello", chat=GROUP, sender=BEN, message_id=3, update_id=9),
            pressed("agent:cook", picker, update_id=1, by=ANN),
            pressed("agent:scribe", picker, update_id=2, by=ANN),
            pressed("agent:cook", picker, update_id=3, by=BEN),
        ]
    )
    await bot.followed()
    taken = (await bot.inbox(f"{ID}:{GROUP.id}"))[1:]
    assert [(entry.update_id, entry.hides) for entry in taken] == [(1, ("poet", "scribe")), (3, ("poet", "scribe"))]
    assert [words for _, words in bot.signs.pressed][1] == phrase("only-owner", name="scribe")
    (_, behind), *_ = await own_replies(store, ID, 1000)
    assert (data_of(behind), behind.edit) == (["agent:cook"], picker.message_id)
