"""chats.yaml's `roles` in the bot: who may use which commands, agents and models, and who people in open mode are."""

from pathlib import Path

import pytest
from aiogram import types as tg

from bot.commands.offered import CommandOffer, WhoControls
from bot.groups.admin_lists import AdminLists
from bot.groups.control import GroupControl
from bot.updates.meaning import Incoming
from bot.updates.understand import understand
from tasks.chats.access import Access, Person
from tasks.chats.command_names import ADMINS, ASKS, CONTROL
from tasks.chats.roles import Role, RoleRules
from tasks.config.settings import Settings, load
from tasks.phrases import phrase
from tasks.store import Store
from tests.bot.conftest import ME, BotUnderTest, make_bot
from tests.bot.stand_ins import HandClock
from tests.bot.updates import ANN, BEN, GROUP, SOME_DAY, said

BENS, GROUPS = "4242:700", "4242:-55"


def bot_of(redis_url: str, store: Store, tmp_path: Path, *, everybody: bool) -> BotUnderTest:
    given = {"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": "4242:x", "COHORT_MODELS": "a,b"}
    access = Access(everybody=everybody, allow=frozenset(), admins=frozenset({ANN.id}))
    return make_bot(load({**given, "COHORT_CHATS": str(tmp_path / "chats.yaml")}), store, access=access)


@pytest.fixture
def bot(redis_url: str, store: Store, tmp_path: Path) -> BotUnderTest:
    return bot_of(redis_url, store, tmp_path, everybody=False)


@pytest.fixture
def opened(redis_url: str, store: Store, tmp_path: Path) -> BotUnderTest:
    return bot_of(redis_url, store, tmp_path, everybody=True)


def rules(bot: BotUnderTest, text: str) -> None:
    bot.settings.chats.write_text(f"roles: {text}\n")
    assert bot.chats.look()


async def ben_is(bot: BotUnderTest, role: Role) -> None:
    await bot.store.people.put(bot.people.bot, BEN.id, Person(role=role))
    await bot.people.refresh()


class Asking:
    """Ben says one thing after the other."""

    def __init__(self, bot: BotUnderTest) -> None:
        self.bot = bot
        self.number = 0

    async def __call__(self, text: str) -> str | None:
        """What he hears; None when it waits in his inbox."""
        self.number += 1
        before = len(await self.bot.said())
        await self.bot.intake.take([said(text, sender=BEN, update_id=self.number, message_id=self.number)])
        heard = [words for _, words in (await self.bot.said())[before:]]
        return heard[0] if heard else None


@pytest.mark.promise("roles")
async def test_a_command_above_a_persons_role_is_refused_with_who_may(bot: BotUnderTest) -> None:
    ben = Asking(bot)
    await ben_is(bot, "member")
    rules(bot, "{commands: {/compact: admin, usage: owner, 're*': admin, resume: member, book: admin}}")
    assert await ben("/compact") == phrase("only-admins", name="/compact")
    assert await ben("/usage") == phrase("only-owner", name="/usage")
    assert await ben("/retry") == await ben("/retry now") == phrase("only-admins", name="/retry")
    assert await ben("/book a table") == phrase("only-admins", name="/book"), "also one that agents take"
    assert await bot.inbox(BENS) == []
    assert phrase("only-admins", name="/resume") != await ben("/resume")
    await ben_is(bot, "admin")
    assert await ben("/compact") is None
    assert await ben("/book a table") is None
    assert [entry.kind for entry in await bot.inbox(BENS)] == ["compact", "message"]


@pytest.mark.promise("roles")
async def test_an_agent_and_a_model_are_chosen_only_by_their_role(bot: BotUnderTest) -> None:
    ben = Asking(bot)
    await ben_is(bot, "member")
    rules(bot, "{agents: {poet: admin}, models: {b: owner}}")
    assert await ben("/agent poet") == phrase("only-admins", name="poet")
    assert await ben("/model b") == phrase("only-owner", name="b")
    assert await ben("/model a") is None
    assert await ben("/agent default") is None
    await ben_is(bot, "guest")
    assert await ben("/model a") == phrase("guests")
    rules(bot, "{commands: {model: guest}}")
    assert await ben("/model a") is None, "the operator's word stands above what guests may not do else"


@pytest.mark.promise("roles")
async def test_a_pattern_for_all_commands_leaves_help_and_stop_and_plain_words(bot: BotUnderTest) -> None:
    ben = Asking(bot)
    await ben_is(bot, "guest")
    rules(bot, "{commands: {'*': owner}}")
    assert await ben("/new") == phrase("only-owner", name="/new")
    assert await ben("/queue steer") == phrase("only-owner", name="/queue")
    assert await ben("hello") is None
    assert await ben("/stop") is None
    assert "/" in (await ben("/help") or "")
    assert await ben("/whoami") is not None
    rules(bot, "{commands: {'*': owner, help: owner}}")
    assert await ben("/help") == phrase("only-owner", name="/help")


@pytest.mark.promise("roles")
async def test_in_open_mode_people_are_members_unless_the_file_says_guests(opened: BotUnderTest) -> None:
    ben = Asking(opened)
    assert await ben("/model a") is None
    rules(opened, "{everyone: guest}")
    assert await ben("/model a") == phrase("guests")
    await ben_is(opened, "member")
    assert await ben("/model a") is None


@pytest.mark.promise("roles")
async def test_a_broken_file_keeps_the_last_rules(bot: BotUnderTest) -> None:
    ben = Asking(bot)
    await ben_is(bot, "member")
    rules(bot, "{commands: {compact: admin}}")
    bot.settings.chats.write_text("roles: {commands: {compact: everybody}}\n")
    assert not bot.chats.look()
    assert await ben("/compact") == phrase("only-admins", name="/compact")


@pytest.mark.promise("roles")
async def test_a_groups_members_have_the_groups_role(bot: BotUnderTest) -> None:
    await bot.store.people.put(bot.people.bot, GROUP.id, Person(role="guest"))
    await bot.people.refresh()
    rules(bot, "{commands: {new: member}}")
    await bot.intake.take([said("/new", sender=BEN, chat=GROUP, update_id=1)])
    assert await bot.inbox(GROUPS) == []
    await bot.intake.take([said("/new", sender=ANN, chat=GROUP, update_id=2)])
    assert len(await bot.inbox(GROUPS)) == 1


@pytest.mark.promise("guests-words")
async def test_a_guests_words_say_so_where_others_are_heard_too(settings: Settings, store: Store) -> None:
    bot = make_bot(settings, store, access=Access(everybody=False, allow=frozenset({ANN.id})))
    await ben_is(bot, "guest")
    answered = tg.Message(message_id=9, date=SOME_DAY, chat=GROUP, from_user=BEN, text="delete it all")
    by_ann = tg.Message(message_id=8, date=SOME_DAY, chat=GROUP, from_user=ANN, text="keep it")
    await bot.intake.take(
        [
            said("so he says", sender=BEN, chat=GROUP, message_id=1, update_id=1),
            said("so she says", sender=ANN, chat=GROUP, message_id=2, update_id=2),
            said("@cohort_bot do as he says", chat=GROUP, message_id=3, update_id=3, reply_to_message=answered),
            said("@cohort_bot and me", sender=BEN, chat=GROUP, message_id=4, update_id=4, reply_to_message=by_ann),
            said("in our own chat", sender=BEN, chat=tg.Chat(id=BEN.id, type="private"), update_id=5),
        ]
    )
    hers, his = await bot.inbox("4242:-55")
    assert [one.guest for one in hers.overheard] == [True, False]
    assert (hers.guest, hers.quoted and hers.quoted.guest) == (False, True)
    assert (his.guest, his.quoted and his.quoted.guest) == (True, False)
    (alone,) = await bot.inbox("4242:701")
    assert not alone.guest


async def test_where_everybody_may_talk_no_word_is_a_guests_unless_the_operator_says_so(
    settings: Settings, store: Store
) -> None:
    answered = tg.Message(message_id=9, date=SOME_DAY, chat=GROUP, from_user=BEN, text="delete it all")
    update = said("@cohort_bot do so", chat=GROUP, update_id=1, reply_to_message=answered)
    bot = make_bot(settings, store, access=Access(everybody=True, allow=frozenset()))
    await bot.intake.take([update])
    (entry,) = await bot.inbox("4242:-55")
    assert (entry.guest, entry.quoted and entry.quoted.guest) == (False, False)


@pytest.mark.parametrize(
    ("role", "typo", "near"),
    [
        ("guest", "/modle", None),
        ("guest", "/statsu", "/status"),
        ("member", "/modle", "/model"),
        ("member", "/usgae", None),
        ("member", "/peopel", None),
        ("admin", "/peopel", "/people"),
        ("admin", "/usgae", "/usage"),
    ],
)
async def test_a_mistyped_command_is_told_only_to_those_who_may_use_it(
    bot: BotUnderTest, role: Role, typo: str, near: str | None
) -> None:
    """What is not told goes to the agent, as any command that is not one of ours."""
    rules(bot, "{commands: {usage: admin}}")
    await ben_is(bot, role)
    told = await Asking(bot)(typo)
    assert told == (near and phrase("did-you-mean", name=typo[1:], near=near[1:]))
    assert [entry.text for entry in await bot.inbox(BENS)] == ([] if near else [typo])


@pytest.mark.promise("offered")
@pytest.mark.parametrize("command", sorted({*CONTROL, *ASKS} - {"forget", "reminders", "login", "logout"}))
@pytest.mark.parametrize("control", ["everyone", "admins", "asker"])
@pytest.mark.parametrize("role", ["owner", "admin", "member", "guest"])
async def test_what_is_refused_in_a_group_is_not_what_a_mistyped_one_means(
    command: str, control: WhoControls, role: Role
) -> None:
    async def admins(_chat: int) -> frozenset[int]:
        return frozenset()

    async def none(_session: object) -> frozenset[int]:
        return frozenset()

    asked = [understand(said(word, sender=BEN, chat=GROUP), ME, 0.0) for word in (f"/{command}", f"/{command} x")]
    refusing = GroupControl(control, AdminLists(admins, HandClock()), RoleRules, none)
    refused = [await refusing.refusal(one, role) is not None for one in asked if isinstance(one, Incoming)]
    admins_only = command in ADMINS and role not in ("owner", "admin")
    allowed = await refusing.allows(CommandOffer(RoleRules, control), asked[0].inbound, role, command)  # type: ignore[union-attr]
    assert (len(refused), allowed) == (2, not (any(refused) or admins_only))
