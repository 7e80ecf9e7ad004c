"""What the bot asks of the Bot API, through python-telegram-bot, and what can become of it."""

import asyncio
import json
import logging
import warnings
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any, cast

from telegram import Bot, BotCommand, InlineKeyboardButton, InlineKeyboardMarkup, MessageEntity, ReplyParameters
from telegram import error as errors
from telegram.constants import ChatAction
from telegram.warnings import PTBDeprecationWarning, PTBUserWarning

from bot import texts
from bot.updates.meaning import BotIdentity
from bot.updates.understand import ALLOWED_UPDATES
from botapi.proxy import proxy_for
from botapi.transport import AiohttpRequest
from tasks.envelope import Reply
from tasks.errors import Misconfigured, Retryable, Terminal
from tasks.session import SessionKey

log = logging.getLogger("cohort.bot")

LONG_POLL = timedelta(seconds=30)
"""Telegram holds a getUpdates this long when there is nothing; 50 s is its limit."""

_GRACE = timedelta(seconds=10)
"""How much later than that its answer may come before the connection is taken for dead."""

BATCH = 100
"""Updates that Telegram gives at once, at most."""

_ALLOWED_UPDATES = json.dumps(ALLOWED_UPDATES)

_PATIENCE = timedelta(seconds=5)
"""How long any other answer may take: a stop waits for it, and what came of it is asked again."""

_CONNECTIONS = 16
"""One polls, one sends replies, some show signs of life; the rest is room."""

_WEBHOOK_CONNECTIONS = 40
"""Requests that Telegram makes at the same time."""

# PTB advises its own get_updates, which parses updates and fails on what it does not know; we want the raw JSON.
warnings.filterwarnings("ignore", message=r"Please use 'Bot\.getUpdates'", category=PTBUserWarning)
# It announces a type that `_translated` takes already.
warnings.filterwarnings("ignore", message=r".*attribute `retry_after` will be", category=PTBDeprecationWarning)


class TelegramAway(Retryable):
    """Telegram cannot be reached or is not willing right now; ``wait`` is how long it asked us to wait (seconds)."""

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


class OtherPoller(TelegramAway):
    """Another process polls with this bot's token, or a webhook is set."""


class NoSuchMethod(TelegramAway):
    """404: a malformed token, or no Bot API server at all."""


class Refused(Terminal):
    """Telegram will never do this (blocked, no such chat, nothing to answer any more)."""


@contextmanager
def _translated() -> Generator[None]:
    """PTB's errors as ours; none of their texts holds the token.

    Raises:
        Misconfigured: 401, the token is wrong.
        OtherPoller: 409.
        Refused: 400, 403, or Telegram did it but its answer cannot be read.
        TelegramAway: everything else.
    """
    try:
        yield
    except errors.RetryAfter as problem:
        wait = problem.retry_after
        raise TelegramAway("flood", wait.total_seconds() if isinstance(wait, timedelta) else float(wait)) from None
    except errors.InvalidToken as problem:
        # One error for 401 and 404; Telegram's words tell them apart, and `do_api_request` hides those in the cause.
        told = problem.__cause__ if isinstance(problem.__cause__, errors.InvalidToken) else problem
        if "unauthorized" in told.message.lower():
            raise Misconfigured("TELEGRAM_BOT_TOKEN is wrong: Telegram answered 401") from None
        raise NoSuchMethod("Telegram answered 404") from None
    except errors.Conflict as problem:
        raise OtherPoller(problem.message) from None
    except (errors.BadRequest, errors.Forbidden) as problem:
        raise Refused(problem.message) from None
    except TimeoutError:
        raise TelegramAway("no answer in time") from None
    except errors.TelegramError as problem:
        # Neither the exception's own text (it may hold a URL) nor its cause.
        raise TelegramAway(type(problem).__name__) from None
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise Refused(f"an answer that cannot be read ({type(problem).__name__})") from problem


class Telegram:
    """The methods that the bot uses; all raise as ``_translated`` says."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def me(self) -> BotIdentity:
        """Who the bot is (getMe).

        Raises:
            Misconfigured: also for a 404.
        """
        try:
            with _translated():
                user = await self._bot.get_me()
        except NoSuchMethod:
            raise Misconfigured(
                "TELEGRAM_BOT_TOKEN is malformed, or TELEGRAM_BASE_URL is no Bot API server: it answered 404"
            ) from None
        return BotIdentity.of(user.id, user.username or "")

    async def updates(self, offset: int | None, *, hold: timedelta = LONG_POLL, limit: int = BATCH) -> list[Any]:
        """The next raw updates (https://core.telegram.org/bots/api#getupdates).

        Args:
            offset: Everything below is confirmed: Telegram forgets it. None confirms nothing.
            hold: How long Telegram waits for one when there is none.
            limit: How many, at most.

        Raises:
            TelegramAway: also when the answer is no list.
        """
        asked = {
            "offset": offset,
            "limit": limit,
            "timeout": int(hold.total_seconds()),
            "allowed_updates": _ALLOWED_UPDATES,
        }
        patience = (hold + _GRACE).total_seconds()
        with _translated():
            # The outer bound is for what HTTP timeouts do not cover: a server that sends a byte now and then.
            async with asyncio.timeout(patience + _GRACE.total_seconds()):
                answer = await self._bot.do_api_request("getUpdates", asked, read_timeout=patience)
        if not isinstance(answer, list):
            raise TelegramAway("getUpdates gave no list")
        return cast("list[Any]", answer)

    async def use_webhook(self, url: str, secret: str) -> None:
        """Have updates sent to ``url``; those that wait are kept."""
        with _translated():
            await self._bot.set_webhook(
                url,
                secret_token=secret,
                allowed_updates=ALLOWED_UPDATES,
                max_connections=_WEBHOOK_CONNECTIONS,
                drop_pending_updates=False,
            )

    async def use_polling(self) -> None:
        """End a webhook, so that updates can be fetched; those that wait are kept."""
        with _translated():
            await self._bot.delete_webhook(drop_pending_updates=False)

    async def show_commands(self) -> None:
        """Fill the command menu."""
        with _translated():
            await self._bot.set_my_commands([BotCommand(name, said) for name, said in texts.COMMANDS])

    async def typing(self, session: SessionKey) -> None:
        """Show "typing ..." for 5 s."""
        with _translated():
            await self._bot.send_chat_action(
                session.chat,
                ChatAction.TYPING,
                message_thread_id=session.topic,
                business_connection_id=session.business,
            )

    async def answer_press(self, callback: str, said: str | None) -> None:
        """End a button's spinning; ``said`` is shown for a moment."""
        with _translated():
            await self._bot.answer_callback_query(callback, said)

    async def send(self, session: SessionKey, reply: Reply) -> None:
        """Send one of the bot's own replies; a group that became a supergroup gets it under its new id."""
        with _translated():
            try:
                await self._send(session.chat, session, reply)
            except errors.ChatMigrated as moved:
                # The message that it answers has another number there.
                await self._send(moved.new_chat_id, session, reply.model_copy(update={"reply_to": None}))

    async def _send(self, chat: int, session: SessionKey, reply: Reply) -> None:
        keyboard = [
            [InlineKeyboardButton(button.text, callback_data=button.data) for button in row] for row in reply.buttons
        ]
        answered = ReplyParameters(reply.reply_to, allow_sending_without_reply=True) if reply.reply_to else None
        await self._bot.send_message(
            chat,
            reply.text,
            entities=MessageEntity.de_list(list(reply.entities), self._bot),
            message_thread_id=session.topic,
            business_connection_id=session.business,
            reply_parameters=answered,
            reply_markup=InlineKeyboardMarkup(keyboard) if keyboard else None,
        )


@asynccontextmanager
async def client(token: str, base_url: str) -> AsyncGenerator[Telegram]:
    """A client for one bot. Nothing is sent on entering.

    Args:
        token: The bot's token.
        base_url: Root of the Bot API server, without a slash at its end.

    Raises:
        Misconfigured: there is a proxy that cannot be used.
    """
    request = AiohttpRequest(connections=_CONNECTIONS, proxy=proxy_for(base_url), patience=_PATIENCE.total_seconds())
    async with request:
        # Not `async with bot`: that calls getMe.
        yield Telegram(
            Bot(
                token,
                base_url=f"{base_url}/bot",
                base_file_url=f"{base_url}/file/bot",
                request=request,
                get_updates_request=request,
            )
        )
