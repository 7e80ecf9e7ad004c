"""/help and Telegram's menus name the commands that a person may use where they read them, and no other ones."""

from collections.abc import Awaitable, Callable

import pytest

from bot import texts
from bot.access.people import PeopleView
from bot.api import Telegram
from bot.commands.menus import OTHERS, CommandMenus
from bot.commands.offered import CommandOffer, WhoControls
from bot.groups.admin_lists import AdminLists
from bot.groups.control import GroupControl
from bot.updates.meaning import Incoming
from bot.updates.understand import understand
from playground.client import PlaygroundClient
from tasks.chats.access import Access, OperatorsWord, Person
from tasks.chats.command_names import ASKS, CONTROL
from tasks.chats.roles import Role, RoleRules
from tasks.config.settings import Settings
from tasks.phrases import LANGUAGES, phrase, speaking
from tasks.store import Store
from tests.bot.conftest import ME, make_bot
from tests.bot.stand_ins import HandClock
from tests.bot.updates import ANN, BEN, GROUP, PRIVATE, said
from tests.conftest import BOT

TOLD_ELSEWHERE = {"resume": "conversations-find", "forget": "memory-how"}
"""Commands that stand in the list to which they belong, and not in /help, which fills a phone as it is."""
WITHOUT_WORDS = {"start", "reset", "clear"}
"""Telegram's own button, and other names of /new."""
NO_RULES, SOME = RoleRules(), RoleRules(commands={"*": "member", "usage": "admin", "title": "guest"})
LISTS: dict[str, Role] = {"owner": "owner", "admin": "admin", "member": "member", "guest": "guest"}


def heard(text: str, *, group: bool) -> Incoming:
    found = understand(said(text, sender=BEN, chat=GROUP if group else PRIVATE), ME, 0.0)
    assert isinstance(found, Incoming), text
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_command_stands_in_help_or_in_the_list_to_which_it_belongs(language: str) -> None:
    told = {*texts.COMMANDS, *texts.ADMIN_COMMANDS, *TOLD_ELSEWHERE}
    assert {*CONTROL, *ASKS} - told == WITHOUT_WORDS
    with speaking(language):
        assert [name for name, ident in TOLD_ELSEWHERE.items() if f"/{name} " not in phrase(ident)] == []


@pytest.mark.promise("offered")
@pytest.mark.parametrize("rules", [NO_RULES, SOME], ids=["no rules", "rules"])
@pytest.mark.parametrize("control", ["everyone", "admins", "asker"])
@pytest.mark.parametrize("group", [True, False])
@pytest.mark.parametrize("administers", [True, False])
@pytest.mark.parametrize("role", LISTS.values())
async def test_what_is_offered_is_not_refused_and_what_is_not_offered_is(
    rules: RoleRules, control: WhoControls, *, group: bool, administers: bool, role: Role
) -> None:
    async def admins(_chat: int) -> frozenset[int]:
        return frozenset({BEN.id} if administers else ())

    async def none(_session: object) -> frozenset[int]:
        return frozenset()

    refusing = GroupControl(control, AdminLists(admins, HandClock()), lambda: rules, none)
    offer = CommandOffer(lambda: rules, control)
    offered = await refusing.offered(offer, heard("/help", group=group).inbound, role)
    for name in texts.COMMANDS:
        refused = [
            await refusing.refusal(heard(word, group=group), role) is not None for word in (f"/{name}", f"/{name} x")
        ]
        if name == "reminders":
            # All may look, and the list is what it is for; who may not cancel one is told so.
            refused.pop()
        assert (name in offered) != any(refused), (name, refused)


@pytest.mark.promise("offered")
@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_guests_help_names_no_command_that_is_for_members(
    settings: Settings, store: Store, language: str
) -> None:
    bot = make_bot(settings, store, access=Access(everybody=False, allow=frozenset()))
    for who, role in ((BEN, "guest"), (ANN, "admin")):
        await bot.store.people.put(BOT, who.id, Person.model_validate({"role": role}))
    speaks = BEN.model_copy(update={"language_code": language})
    await bot.intake.take([said("/help", sender=speaks, update_id=1), said("/help", update_id=2)])
    (_, his), (_, hers) = await bot.said()
    with speaking(language):
        model = f"/model - {phrase('menu-model')}"
        assert f"/new - {phrase('menu-new')}" in his
        assert model not in his
    assert not any(f"/{name}" in his for name in ("model", "agent", "allow", "people"))
    assert all(f"/{name}" in hers for name in ("model", "agent", "allow", "people"))


type Named = Callable[..., Awaitable[list[str]]]


@pytest.fixture
def named(people: PlaygroundClient) -> Named:
    async def commands(language: str = "", **scope: object) -> list[str]:
        asked = {**({"scope": scope} if scope else {}), **({"language_code": language} if language else {})}
        return [command["command"] for command in (await people.call("getMyCommands", **asked))["result"]]

    return commands


@pytest.mark.promise("offered")
async def test_menus_follow_roles_rules_and_who_controls_a_group(
    telegram: Telegram, store: Store, people: PlaygroundClient, named: Named
) -> None:
    group = (await people.chat("group"))["id"]
    for who, role in ((7, "owner"), (8, "guest"), (9, "member"), (group, "guest")):
        await store.people.put(BOT, who, Person.model_validate({"role": role}))
    rules = RoleRules()
    view = PeopleView(BOT, store.people, OperatorsWord(mode="pairing"), lambda: rules)
    await view.refresh()
    menus = CommandMenus(telegram, view, CommandOffer(lambda: rules, "admins"))
    for step in (menus.show, menus.translate, menus.show_to_some):
        await step()
    for language in ("", *OTHERS):
        assert not {"model", "agent"} & set(await named(language, type="chat", chat_id=8))
        assert not {"model", "agent"} & set(await named(language, type="chat", chat_id=group))
        assert "model" in await named(language)
        assert {"model", "people"} <= set(await named(language, type="chat", chat_id=7))
        assert await named(language, type="chat", chat_id=9) == []
        assert not {"new", "model", "people"} & set(await named(language, type="all_group_chats"))
        assert {"new", "model"} <= set(await named(language, type="all_chat_administrators"))
    await store.people.put(BOT, 8, Person(role="member"))
    await view.refresh()
    await menus.show_to_some()
    assert [await named(language, type="chat", chat_id=8) for language in ("", *OTHERS)] == [[]] * len(LANGUAGES)
    rules = SOME
    menus.changed()
    for step in (menus.show, menus.translate, menus.show_to_some):
        await step()
    assert "usage" not in await named("de")
    assert "usage" in await named("de", type="chat", chat_id=7)


@pytest.mark.promise("offered")
async def test_where_everyone_controls_groups_their_administrators_have_the_menu_of_all(
    telegram: Telegram, store: Store, named: Named
) -> None:
    view = PeopleView(BOT, store.people, OperatorsWord(mode="open"))
    for control, own in (("admins", True), ("everyone", False)):
        offer = CommandOffer(RoleRules, "admins" if control == "admins" else "everyone")
        menus = CommandMenus(telegram, view, offer)
        await menus.show()
        await menus.translate()
        assert [bool(await named(one, type="all_chat_administrators")) for one in ("", "de")] == [own, own]


async def test_only_the_newest_of_many_guests_have_menus_of_their_own(
    telegram: Telegram, store: Store, named: Named
) -> None:
    for number in range(1, 54):
        await store.people.put(BOT, number, Person(role="guest", at=float(number)))
    await store.people.put(BOT, 99, Person(role="owner"))
    view = PeopleView(BOT, store.people, OperatorsWord(mode="pairing"))
    await view.refresh()
    await CommandMenus(telegram, view, CommandOffer(RoleRules)).show_to_some()
    assert [bool(await named(type="chat", chat_id=who)) for who in (3, 4, 53, 99)] == [False, True, True, True]
