"""Updates as Telegram sends them, built with aiogram's models: independent of what the bot believes they look like."""

import json
from datetime import UTC, datetime
from typing import Any

from aiogram import types as tg

BOT = tg.User(id=4242, is_bot=True, first_name="Cohort", username="cohort_bot")
ANN = tg.User(id=700, is_bot=False, first_name="Ann", last_name="Lee", username="annlee", language_code="en")
BEN = tg.User(id=701, is_bot=False, first_name="Ben")

PRIVATE = tg.Chat(id=700, type="private", first_name="Ann")
GROUP = tg.Chat(id=-55, type="group", title="Friends")
FORUM = tg.Chat(id=-1001234, type="supergroup", title="Forum", is_forum=True)
CHANNEL = tg.Chat(id=-1009, type="channel", title="News")

SOME_DAY = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def message(
    text: str | None = None, *, chat: tg.Chat = PRIVATE, sender: tg.User | None = ANN, **fields: Any
) -> tg.Message:
    fields = {"message_id": 10, "date": SOME_DAY, **fields}
    return tg.Message(chat=chat, from_user=sender, text=text, **fields)


def raw(update: tg.Update) -> dict[str, Any]:
    """As it comes over the wire."""
    # What a bot of aiogram's sets by default (`Default`) is nothing on the wire.
    told = update.model_dump_json(by_alias=True, exclude_none=True, fallback=lambda _: None)
    return json.loads(
        told, object_hook=lambda given: {name: value for name, value in given.items() if value is not None}
    )


def said(text: str | None = None, *, update_id: int = 1, kind: str = "message", **fields: Any) -> dict[str, Any]:
    """An update with a message in it."""
    return raw(tg.Update(update_id=update_id, **{kind: message(text, **fields)}))


def pressed(
    data: str | None, on: tg.Message | tg.InaccessibleMessage | None, *, update_id: int = 1, by: tg.User = ANN
) -> dict[str, Any]:
    """A pressed button."""
    query = tg.CallbackQuery(id="99", from_user=by, chat_instance="1", message=on, data=data)
    return raw(tg.Update(update_id=update_id, callback_query=query))


def size(file_id: str, width: int, height: int) -> tg.PhotoSize:
    return tg.PhotoSize(
        file_id=file_id, file_unique_id=f"u{file_id}", width=width, height=height, file_size=width * height
    )
