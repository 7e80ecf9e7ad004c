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
from bot.updates.values import CleanText, Hint, Number, UpdateKind


class InlineQuery(Object):
    """``InlineQuery``: a person types ``@bot words`` in any chat."""

    id: CleanText
    from_user: Annotated[User, Field(alias="from")]
    query: CleanText
    offset: Hint = None
    """Where the next page of results begins."""


class ChosenInlineResult(Object):
    """``ChosenInlineResult``: the person has sent one of the results."""

    from_user: Annotated[User, Field(alias="from")]
    query: CleanText
    inline_message_id: Hint = None


class TelegramUpdate(Object):
    """``Update``, with the kinds that the bot asks Telegram for."""

    update_id: Number
    message: UpdateKind[Message] = None
    edited_message: UpdateKind[Message] = None
    channel_post: UpdateKind[Message] = None
    edited_channel_post: UpdateKind[Message] = None
    business_message: UpdateKind[Message] = None
    edited_business_message: UpdateKind[Message] = None
    business_connection: UpdateKind[BusinessConnection] = None
    deleted_business_messages: UpdateKind[DeletedMessages] = None
    callback_query: UpdateKind[CallbackQuery] = None
    my_chat_member: UpdateKind[MembershipChange] = None
    message_reaction: UpdateKind[ReactionChange] = None
    stopped_message_generation: UpdateKind[GenerationStopped] = None
    inline_query: UpdateKind[InlineQuery] = None
    chosen_inline_result: UpdateKind[ChosenInlineResult] = None
    guest_message: UpdateKind[Message] = None


def update_id_of(update: object) -> int | None:
    """The id of an update that may be of any shape."""
    found = cast("dict[str, Any]", update).get("update_id") if isinstance(update, dict) else None
    return found if type(found) is int else None
