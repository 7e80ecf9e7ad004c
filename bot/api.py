"""The bot's own calls to the Bot API; messages to sessions are ``botapi.calls``."""

import asyncio
import json
import warnings
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, TypedDict, Unpack, cast

from telegram import (
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeChat,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQueryResultArticle,
    InputTextMessageContent,
)
from telegram.constants import ChatAction
from telegram.warnings import PTBUserWarning

from bot.article import Article
from bot.commands.menus import Described, Menu, Menus
from bot.updates.buttons import WAITS
from bot.updates.meaning import BotIdentity
from bot.updates.understand import ALLOWED_UPDATES, BUSINESS_UPDATES, CHANNEL_UPDATES, GUEST_UPDATES, INLINE_UPDATES
from botapi.calls import Calls
from botapi.client import Connection, connected
from botapi.errors import NoSuchMethod, TelegramAway
from botapi.pacing import Pacing, Priority
from botapi.refusals import errors_as_ours
from tasks.errors import Misconfigured
from tasks.session import SessionKey

LONG_POLL = timedelta(seconds=30)
"""Telegram holds a getUpdates so long while there is no update; its limit is 50 s."""

_GRACE = timedelta(seconds=10)
"""How much later than that its answer may come before the connection counts as dead."""

BATCH = 100
"""Updates that Telegram gives at once, at most."""

_PATIENCE = timedelta(seconds=5)
"""How long any other answer may take: a stop waits for it, and a call that fails is made again."""

_CONNECTIONS = 16
"""One polls, one sends replies, some show typing; the rest is room."""

_OFFER_KEPT_S = 5
"""Seconds for which Telegram may give the same answer to the same words: who is let in may change."""

_WEBHOOK_CONNECTIONS = 40
"""Requests that Telegram makes at the same time."""

# PTB advises its own get_updates, which parses updates and fails on what it does not know; we want the raw JSON.
warnings.filterwarnings("ignore", message=r"Please use 'Bot\.getUpdates'", category=PTBUserWarning)


class Wants(TypedDict, total=False):
    """What an operator wants beside chats."""

    channels: bool
    business: bool
    inline: bool
    guests: bool


_WANTED = {
    "channels": CHANNEL_UPDATES,
    "business": BUSINESS_UPDATES,
    "inline": INLINE_UPDATES,
    "guests": GUEST_UPDATES,
}


class Telegram:
    """The methods that the bot uses; all raise as ``botapi.refusals.errors_as_ours`` says."""

    def __init__(self, connection: Connection, wants: Wants) -> None:
        self._connection = connection
        self._wants = wants
        self.kinds = (
            *ALLOWED_UPDATES,
            *(kind for name, kinds in _WANTED.items() if wants.get(name) for kind in kinds),
        )
        self._bot = connection.bot()

    def paced(self, pacing: Pacing) -> Calls:
        """Calls that send messages within the budget that the bot shares with the workers."""
        return Calls(self._connection.bot(pacing), priority=Priority.QUEUED)

    async def me(self) -> BotIdentity:
        """Which bot the token belongs to (getMe).

        Raises:
            Misconfigured: also for a 404.
        """
        try:
            with errors_as_ours():
                user = await self._bot.get_me()
        except NoSuchMethod:
            raise Misconfigured(
                "TELEGRAM_BOT_TOKEN is malformed, or TELEGRAM_BASE_URL is no Bot API server: it answered 404"
            ) from None
        reads_groups = bool(user.can_read_all_group_messages)
        return BotIdentity.of(user.id, user.username or "", reads_groups=reads_groups, **self._wants)

    async def updates(self, offset: int | None, *, hold: timedelta = LONG_POLL, limit: int = BATCH) -> list[Any]:
        """The next raw updates (https://core.telegram.org/bots/api#getupdates).

        Args:
            offset: Confirms all updates below it, which Telegram then forgets. None confirms no update.
            hold: How long Telegram waits for an update if there is none.
            limit: How many, at most.

        Raises:
            TelegramAway: also when the answer is no list.
        """
        asked = {
            "offset": offset,
            "limit": limit,
            "timeout": int(hold.total_seconds()),
            "allowed_updates": json.dumps(self.kinds),
        }
        patience = (hold + _GRACE).total_seconds()
        with errors_as_ours():
            # The outer bound is for what HTTP timeouts do not cover: a server that sends a byte now and then.
            async with asyncio.timeout(patience + _GRACE.total_seconds()):
                answer = await self._bot.do_api_request("getUpdates", asked, read_timeout=patience)
        if not isinstance(answer, list):
            raise TelegramAway("getUpdates gave no list")
        return cast("list[Any]", answer)

    async def use_webhook(self, url: str, secret: str) -> None:
        """Have updates sent to ``url``; those that wait are kept."""
        with errors_as_ours():
            await self._bot.set_webhook(
                url,
                secret_token=secret,
                allowed_updates=self.kinds,
                max_connections=_WEBHOOK_CONNECTIONS,
                drop_pending_updates=False,
            )

    async def use_polling(self) -> None:
        """End a webhook, so that updates can be fetched; those that wait are kept."""
        with errors_as_ours():
            await self._bot.delete_webhook(drop_pending_updates=False)

    async def show_commands(self, menus: Menus) -> None:
        """Set the menus of all chats, where they are not so already."""
        await self.show_translated(None, menus)

    async def show_translated(self, language: str | None, menus: Menus) -> None:
        """Set them for the people who use Telegram in a language, where they are not so already."""
        await self._show(menus.private, None, language)
        await self._show(menus.groups, BotCommandScopeAllGroupChats(), language)
        await self._show(menus.admins, BotCommandScopeAllChatAdministrators(), language)

    async def _show(self, menu: Menu, scope: BotCommandScope | None, language: str | None = None) -> None:
        """Set one menu, where it is not so already; an empty one is that of the next wider scope."""
        with errors_as_ours():
            if list(await self._bot.get_my_commands(scope, language)) == _menu(menu):
                return
            if menu:
                await self._bot.set_my_commands(_menu(menu), scope, language)
            else:
                await self._bot.delete_my_commands(scope, language)

    async def show_own_commands(self, chat: int, menu: Menu, translated: Mapping[str, Menu]) -> None:
        """Set the menu of one chat, also by language, where it is not so already."""
        for language, own in {None: menu, **translated}.items():
            await self._show(own, BotCommandScopeChat(chat), language)

    async def hide_own_commands(self, chat: int, languages: Sequence[str]) -> None:
        """Give a chat the menu of all again."""
        with errors_as_ours():
            for language in (None, *languages):
                await self._bot.delete_my_commands(BotCommandScopeChat(chat), language)

    async def describe(self, description: str, short: str) -> None:
        """Set what an empty chat with the bot and its profile show, where the operator has not set it."""
        with errors_as_ours():
            if not (await self._bot.get_my_description()).description:
                await self._bot.set_my_description(description)
            if not (await self._bot.get_my_short_description()).short_description:
                await self._bot.set_my_short_description(short)

    async def describe_translated(self, usual: Described, translated: Mapping[str, Described]) -> None:
        """Set the same by language, where the operator has set neither the usual words nor those."""
        bot = self._bot
        with errors_as_ours():
            if (await bot.get_my_description()).description == usual[0]:
                for language, (said, _) in translated.items():
                    # Where a language has no words, Telegram may give the usual ones.
                    if (await bot.get_my_description(language)).description in ("", usual[0]):
                        await bot.set_my_description(said, language)
            if (await bot.get_my_short_description()).short_description == usual[1]:
                for language, (_, said) in translated.items():
                    if (await bot.get_my_short_description(language)).short_description in ("", usual[1]):
                        await bot.set_my_short_description(said, language)

    async def administrators(self, chat: int) -> frozenset[int]:
        """The ids of a group's administrators (getChatAdministrators)."""
        with errors_as_ours():
            members = await self._bot.get_chat_administrators(chat)
        return frozenset(member.user.id for member in members)

    async def typing(self, session: SessionKey) -> None:
        """Show "typing ..." for 5 s. The budget does not count it: a plain message costs no further call to Redis."""
        with errors_as_ours():
            await self._bot.send_chat_action(
                session.chat,
                ChatAction.TYPING,
                message_thread_id=session.topic,
                business_connection_id=session.business,
            )

    async def answer_press(self, callback: str, said: str | None) -> None:
        """End a button's spinning and show ``said`` for a moment."""
        with errors_as_ours():
            await self._bot.answer_callback_query(callback, said)

    async def offer(self, query: str, article: Article | None) -> None:
        """Answer an inline query with one article, or with none; it is the person's own, and not kept for long."""
        results = [_result(article)] if article is not None else []
        with errors_as_ours():
            await self._bot.answer_inline_query(query, results, cache_time=_OFFER_KEPT_S, is_personal=True)

    async def answer_guest(self, query: str, article: Article) -> str:
        """Answer a guest query (Bot API 10.0); the id of the message that is there then."""
        with errors_as_ours():
            async with asyncio.timeout(_PATIENCE.total_seconds()):
                sent = await self._bot.answer_guest_query(query, _result(article))
        return sent.inline_message_id

    async def take_buttons(self, session: SessionKey, message_id: int) -> None:
        """Take a message's buttons away."""
        with errors_as_ours():
            await self._bot.edit_message_reply_markup(session.chat, message_id, business_connection_id=session.business)

    async def delete(self, session: SessionKey, message_id: int) -> None:
        """Delete a message that the bot has sent in a business account's name."""
        with errors_as_ours():
            await self._bot.delete_business_messages(session.business or "", [message_id])


def _result(article: Article) -> InlineQueryResultArticle:
    button = InlineKeyboardButton(article.button, callback_data=article.data)
    return InlineQueryResultArticle(
        WAITS,
        article.title,
        InputTextMessageContent(article.text),
        reply_markup=InlineKeyboardMarkup([[button]]),
        description=article.about or None,
    )


def _menu(menu: Menu) -> list[BotCommand]:
    return [BotCommand(name, said) for name, said in menu]


@asynccontextmanager
async def client(token: str, base_url: str, **wants: Unpack[Wants]) -> AsyncGenerator[Telegram]:
    """A client for one bot; it makes no call by itself.

    Args:
        token: The bot's token.
        base_url: Root of the Bot API server, without a slash at its end.
        wants: The kinds of updates that are asked for beside the usual ones.

    Raises:
        Misconfigured: there is a proxy that cannot be used.
    """
    async with connected(token, base_url, connections=_CONNECTIONS, patience=_PATIENCE.total_seconds()) as connection:
        yield Telegram(connection, wants)
