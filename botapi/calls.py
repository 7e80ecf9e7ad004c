"""Bot API calls addressed to sessions: messages with their keyboards, frames, files, signs."""

from collections.abc import Sequence
from typing import Any

from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
)
from telegram.constants import ChatAction
from telegram.error import TelegramError
from telegram.ext import ExtBot

from botapi.lost_places import LostPlaces
from botapi.pacing import Priority
from botapi.refusals import Refusal, classify
from botapi.shape import Shape
from botapi.split import Part
from tasks.clock import Clock, SystemClock
from tasks.envelope import Button, OutKind
from tasks.session import INLINE_MESSAGE, SessionKey

type _Rows = tuple[tuple[Button, ...], ...]

FRAME_TIMEOUT = 10.0
"""Seconds that the answer to a frame may take; the final text waits for it."""
_IN_ALBUM = {
    "photo": InputMediaPhoto,
    "video": InputMediaVideo,
    "audio": InputMediaAudio,
    "document": InputMediaDocument,
}
# A preview of a link would be larger than the message that cites it.
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class Calls:
    """Each method raises what the client raises: ``TelegramError``, and ``RateLimited`` if its priority allows that."""

    def __init__(
        self, bot: ExtBot[Priority], *, priority: Priority = Priority.FINAL, clock: Clock | None = None
    ) -> None:
        self._bot = bot
        self._priority = priority
        self.lost = LostPlaces(clock or SystemClock())
        """What is known to be no more."""

    def use(self, bot: ExtBot[Priority]) -> None:
        """Make the calls with another client from now on, those too that a delivery makes again."""
        self._bot = bot

    async def create(self, session: SessionKey, shape: Shape, *, priority: Priority | None = None) -> int:
        """Send a message. Returns its id. An inline message stands there already, and gets the words."""
        if session.inline is not None:
            return await self.edit(session, INLINE_MESSAGE, shape)
        if shape.rich:
            return await self._create_rich(session, shape, priority or self._priority)
        with self.lost.hearing(session, topic=shape.topic):
            message = await self._bot.send_message(
                chat_id=session.chat,
                text=shape.text,
                message_thread_id=shape.topic,
                business_connection_id=session.business,
                reply_parameters=_answering(shape),
                reply_markup=_keyboard(shape),
                link_preview_options=_NO_PREVIEW,
                api_kwargs=_raw("entities", shape),
                rate_limit_args=priority or self._priority,
            )
        return message.message_id

    async def _create_rich(self, session: SessionKey, shape: Shape, priority: Priority) -> int:
        """python-telegram-bot does not know ``sendRichMessage`` (Bot API 10.1)."""
        given = {
            "chat_id": session.chat,
            "rich_message": {"blocks": list(shape.rich)},
            "message_thread_id": shape.topic,
            "business_connection_id": session.business,
            "reply_parameters": _answering(shape),
            "reply_markup": _keyboard(shape),
        }
        kwargs = {name: value for name, value in given.items() if value is not None}
        with self.lost.hearing(session, topic=shape.topic):
            message: Any = await self._bot.do_api_request(
                "sendRichMessage", api_kwargs=kwargs, rate_limit_args=priority
            )
        return int(message["message_id"])

    async def edit(self, session: SessionKey, message_id: int, shape: Shape) -> int:
        """Give a message its final text. Returns its id."""
        if shape.rich and session.inline is None:
            await self._bot.edit_message_text(
                chat_id=session.chat,
                message_id=message_id,
                text=None,  # type: ignore[arg-type] - left out: the rich message stands for it (Bot API 10.1)
                business_connection_id=session.business,
                reply_markup=_keyboard(shape),
                api_kwargs={"rich_message": {"blocks": list(shape.rich)}},
                rate_limit_args=self._priority,
            )
            return message_id
        await self._edit(session, message_id, shape, self._priority, None)
        return message_id

    async def frame(self, session: SessionKey, message_id: int, part: Part, *, buttons: _Rows = ()) -> None:
        """Show what there is of an answer so far."""
        shape = Shape(part.text, part.entities, buttons=buttons)
        await self._edit(session, message_id, shape, Priority.FRAME, FRAME_TIMEOUT)

    async def file(self, session: SessionKey, shape: Shape) -> int:
        """Send a file with the shape's text as its caption. Returns the message's id."""
        document = InputFile((shape.file_text or "").encode(), filename=shape.file_name)
        return await self._captioned(session, shape, "document", document)

    async def files(self, session: SessionKey, shape: Shape, bodies: Sequence[bytes | str]) -> list[int]:
        """Send a file as what it is, with the shape's text as its caption, or several as one album.

        Returns:
            The ids of its messages.
        """
        if len(shape.files) > 1:
            with self.lost.hearing(session, topic=shape.topic):
                return await self._album(session, shape, bodies)
        file, body = next(zip(shape.files, bodies, strict=True))
        sent = body if isinstance(body, str) else InputFile(body, filename=file.name)
        return [await self._captioned(session, shape, file.kind, sent)]

    async def _captioned(self, session: SessionKey, shape: Shape, kind: OutKind, file: InputFile | str) -> int:
        send: Any = getattr(self._bot, f"send_{kind}")
        # Telegram would make an animation of a GIF again, and a sticker of a WebP picture.
        as_it_is = {"disable_content_type_detection": True} if kind == "document" else {}
        with self.lost.hearing(session, topic=shape.topic):
            message = await send(
                chat_id=session.chat,
                **{kind: file},
                caption=shape.text or None,
                message_thread_id=shape.topic,
                business_connection_id=session.business,
                reply_parameters=_answering(shape),
                reply_markup=_keyboard(shape),
                api_kwargs=_raw("caption_entities", shape),
                rate_limit_args=self._priority,
                **as_it_is,
            )
        return message.message_id

    async def _album(self, session: SessionKey, shape: Shape, bodies: Sequence[bytes | str]) -> list[int]:
        media = [
            _IN_ALBUM[file.kind](
                body, filename=file.name, caption=(file.caption or None) if place or not shape.text else shape.text
            )
            for place, (file, body) in enumerate(zip(shape.files, bodies, strict=True))
        ]
        messages = await self._bot.send_media_group(
            chat_id=session.chat,
            media=media,
            message_thread_id=shape.topic,
            business_connection_id=session.business,
            reply_parameters=_answering(shape),
            rate_limit_args=self._priority,
        )
        return [message.message_id for message in messages]

    async def typing(self, session: SessionKey) -> None:
        """Show "typing ..." for five seconds, or until a message comes; the chat of an inline message is not known."""
        if session.inline is not None:
            return
        await self._bot.send_chat_action(
            chat_id=session.chat,
            action=ChatAction.TYPING,
            message_thread_id=session.topic,
            business_connection_id=session.business,
            read_timeout=FRAME_TIMEOUT,
            rate_limit_args=Priority.TYPING,
        )

    async def draft(self, session: SessionKey, draft_id: int, part: Part, *, first: bool = False) -> None:
        """Show a draft for thirty seconds (private chats only), with Telegram's own Stop button (Bot API 10.3)."""
        await self._bot.send_message_draft(
            chat_id=session.chat,
            draft_id=draft_id,
            text=part.text,
            message_thread_id=session.topic,
            read_timeout=FRAME_TIMEOUT,
            api_kwargs={"can_stop": True, **_raw("entities", part)},
            rate_limit_args=Priority.FIRST if first else Priority.FRAME,
        )

    async def name_topic(self, session: SessionKey, name: str) -> None:
        """Give the session's topic a name."""
        await self._bot.edit_forum_topic(session.chat, session.topic or 0, name=name, rate_limit_args=Priority.CONTROL)

    async def delete(self, session: SessionKey, message_id: int) -> None:
        """Delete a message. An inline message stays."""
        if session.inline is not None:
            return
        if session.business is not None:
            # Its chats number their messages apart; deleteMessage would mean the person's own chat with the bot.
            await self._bot.delete_business_messages(session.business, [message_id], rate_limit_args=Priority.CONTROL)
            return
        await self._bot.delete_message(session.chat, message_id, rate_limit_args=Priority.CONTROL)

    async def look(
        self, session: SessionKey, message_id: int, *, buttons: _Rows = (), other: _Rows = ()
    ) -> Part | None:
        """What a message of ours says, with ``buttons`` below it from now on; None where Telegram does not tell.

        Only a change has the message told, so where it has these buttons, it gets ``other`` ones first.
        """
        if session.inline is not None:
            return None
        try:
            message = await self._buttons(session, message_id, buttons)
        except TelegramError as error:
            if classify(error) is not Refusal.DONE:
                raise
            message = await self._buttons(session, message_id, other)
            await self._buttons(session, message_id, buttons)
        if isinstance(message, bool) or not message.text:
            return None
        return Part(message.text, tuple(entity.to_dict() for entity in message.entities))

    async def _buttons(self, session: SessionKey, message_id: int, buttons: _Rows) -> Message | bool:
        return await self._bot.edit_message_reply_markup(
            session.chat,
            message_id,
            reply_markup=_keyboard(Shape("", buttons=buttons)),
            business_connection_id=session.business,
            rate_limit_args=Priority.CONTROL,
        )

    async def disarm(self, session: SessionKey, message_id: int) -> None:
        """Take a message's buttons away, and keep its words."""
        if session.inline is not None:
            return
        await self._bot.edit_message_reply_markup(
            session.chat, message_id, business_connection_id=session.business, rate_limit_args=self._priority
        )

    async def _edit(
        self, session: SessionKey, message_id: int, shape: Shape, priority: Priority, read_timeout: float | None
    ) -> None:
        patience: dict[str, Any] = {} if read_timeout is None else {"read_timeout": read_timeout}
        inline = session.inline
        with self.lost.hearing(session, message=message_id):
            await self._bot.edit_message_text(
                chat_id=session.chat if inline is None else None,
                message_id=message_id if inline is None else None,
                inline_message_id=inline,
                text=shape.text,
                business_connection_id=session.business,
                # All who read an inline message could press its buttons, and no press tells whose session is meant.
                reply_markup=_keyboard(shape) if inline is None else None,
                link_preview_options=_NO_PREVIEW,
                api_kwargs=_raw("entities", shape),
                rate_limit_args=priority,
                **patience,
            )


def _raw(name: str, what: Shape | Part) -> dict[str, Any]:
    """Entities as they are, so that kinds pass that the client does not know yet."""
    return {name: list(what.entities)} if what.entities else {}


def _answering(shape: Shape) -> ReplyParameters | None:
    if not shape.reply_to:
        return None
    if shape.across is not None:
        return ReplyParameters(shape.reply_to, chat_id=shape.across)
    # The user may have deleted the question meanwhile.
    return ReplyParameters(shape.reply_to, allow_sending_without_reply=True)


def _keyboard(shape: Shape) -> InlineKeyboardMarkup | None:
    if not shape.buttons:
        return None
    return InlineKeyboardMarkup([[_button(button) for button in row] for row in shape.buttons])


def _button(button: Button) -> InlineKeyboardButton:
    if button.url:
        return InlineKeyboardButton(button.text, url=button.url)
    return InlineKeyboardButton(button.text, callback_data=button.data)
