"""The bot's own calls to the Bot API: aiogram's models know each of them (``conftest.api_url`` asks them)."""

import inspect
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from bot import api
from bot.api import Telegram
from bot.article import Article
from bot.commands.menus import Menus
from botapi.errors import Refused
from playground.client import PlaygroundClient
from tasks.session import SessionKey
from tests.conftest import BOT

type Call = Callable[[Telegram, int], Awaitable[Any]]

MENU = (("new", "Start a new conversation"),)
ARTICLE = Article("Ask", "An answer comes", "Wait.", "...", "waits")
MENUS = Menus(MENU, MENU, ())
SET, GET, NONE = "setMyCommands", "getMyCommands", "deleteMyCommands"
ABOUT, SHORT = ["getMyDescription", "setMyDescription"], ["getMyShortDescription", "setMyShortDescription"]


def session(chat: int, business: str | None = None) -> SessionKey:
    return SessionKey(BOT, chat, business=business)


async def in_german_too(telegram: Telegram) -> None:
    await telegram.describe("An agent", "Agent")
    await telegram.describe_translated(("An agent", "Agent"), {"de": ("Ein Agent", "Agent")})


CALLS: dict[str, tuple[Call, list[str]]] = {
    "me": (lambda telegram, _: telegram.me(), ["getMe"]),
    "updates": (lambda telegram, _: telegram.updates(None, hold=timedelta(0)), ["getUpdates"]),
    "updates, confirmed": (lambda telegram, _: telegram.updates(7, hold=timedelta(0)), ["getUpdates"]),
    "use_webhook": (lambda telegram, _: telegram.use_webhook("https://bot.test/hook", "s3cret"), ["setWebhook"]),
    "use_polling": (lambda telegram, _: telegram.use_polling(), ["deleteWebhook"]),
    "show_commands": (lambda telegram, _: telegram.show_commands(MENUS), [GET, SET, GET, SET, GET]),
    "show_translated": (lambda telegram, _: telegram.show_translated("de", MENUS), [GET, SET, GET, SET, GET]),
    "show_own_commands": (
        lambda telegram, chat: telegram.show_own_commands(chat, MENU, {"de": MENU}),
        [GET, SET, GET, SET],
    ),
    "hide_own_commands": (lambda telegram, chat: telegram.hide_own_commands(chat, ["de"]), [NONE, NONE]),
    "describe": (lambda telegram, _: telegram.describe("An agent", "Agent"), [*ABOUT, *SHORT]),
    "describe_translated": (
        lambda telegram, _: in_german_too(telegram),
        [*ABOUT, *SHORT, ABOUT[0], *ABOUT, SHORT[0], *SHORT],
    ),
    "administrators": (lambda telegram, chat: telegram.administrators(chat), ["getChatAdministrators"]),
    "typing": (lambda telegram, chat: telegram.typing(session(chat)), ["sendChatAction"]),
    "answer_press": (lambda telegram, _: telegram.answer_press("c1", "Done"), ["answerCallbackQuery"]),
    "offer": (lambda telegram, _: telegram.offer("q1", ARTICLE), ["answerInlineQuery"]),
    "offer, nothing": (lambda telegram, _: telegram.offer("q1", None), ["answerInlineQuery"]),
    "answer_guest": (lambda telegram, _: telegram.answer_guest("g1", ARTICLE), ["answerGuestQuery"]),
    "take_buttons": (lambda telegram, chat: telegram.take_buttons(session(chat), 1), ["editMessageReplyMarkup"]),
    "delete": (lambda telegram, chat: telegram.delete(session(chat, "conn"), 1), ["deleteBusinessMessages"]),
}


@pytest.mark.parametrize("name", CALLS)
async def test_a_call_of_the_bot_is_known_to_the_bot_api(
    telegram: Telegram, people: PlaygroundClient, name: str
) -> None:
    call, methods = CALLS[name]
    chat = (await people.chat("group"))["id"]
    # The playground knows no such message, query or connection; how it was asked is all that counts.
    with suppress(Refused):
        await call(telegram, chat)
    assert [entry["method"] for entry in await people.journal()] == methods


def test_each_call_of_the_bot_is_in_the_table() -> None:
    functions = {name for name, _ in inspect.getmembers(Telegram, inspect.iscoroutinefunction) if name[0] != "_"}
    assert functions == {name.partition(",")[0] for name in CALLS}
    source = inspect.getsource(api)
    named = {name.replace("_", "") for name in re.findall(r"bot\.([a-z]\w+)\(", source)} - {"doapirequest"}
    named |= {name.lower() for name in re.findall(r"do_api_request\(\"(\w+)", source)}
    assert named == {method.lower() for _, methods in CALLS.values() for method in methods}
