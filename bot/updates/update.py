"""``Update``: the kinds of updates that the bot reads, and those of inline messages (pure)."""

from typing import Annotated, Any, cast

from pydantic import Field

from bot.updates.models import (
    BusinessConnection,
    CallbackQuery,
    DeletedMessages,
    GenerationStopped,
    MembershipChange,
    Message,
    ReactionChange,
    User,
)
from bot.updates.objects import Object
from bot.updates.values import Hint, Kind, Number, Text


class InlineQuery(Object):
    """``InlineQuery``: a person types ``@bot words`` in any chat."""

    id: Text
    from_user: Annotated[User, Field(alias="from")]
    query: Text


class ChosenInlineResult(Object):
    """``ChosenInlineResult``: the person has sent one of the results."""

    from_user: Annotated[User, Field(alias="from")]
    query: Text
    inline_message_id: Hint = None


class TelegramUpdate(Object):
    """``Update``, with the kinds that the bot asks Telegram for."""

    update_id: Number
    message: Kind[Message] = None
    edited_message: Kind[Message] = None
    channel_post: Kind[Message] = None
    edited_channel_post: Kind[Message] = None
    business_message: Kind[Message] = None
    edited_business_message: Kind[Message] = None
    business_connection: Kind[BusinessConnection] = None
    deleted_business_messages: Kind[DeletedMessages] = None
    callback_query: Kind[CallbackQuery] = None
    my_chat_member: Kind[MembershipChange] = None
    message_reaction: Kind[ReactionChange] = None
    stopped_message_generation: Kind[GenerationStopped] = None
    inline_query: Kind[InlineQuery] = None
    chosen_inline_result: Kind[ChosenInlineResult] = None
    guest_message: Kind[Message] = None


def update_id_of(update: object) -> int | None:
    """The id of an update that may be of any shape."""
    found = cast("dict[str, Any]", update).get("update_id") if isinstance(update, dict) else None
    return found if type(found) is int else None
