"""A Telegram update as typed objects: this file and ``objects`` know the Bot API's names for what the bot reads (pure).

What decides whose message this is and what was said must have the type that the Bot API promises, or the update is
malformed. Everything else only adds to a message: a value of another type counts as absent, so that one field that
Telegram changes loses no message. Fields that the bot does not read are ignored.

Source: https://core.telegram.org/bots/api (10.3).
"""

from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from bot.updates.objects import (
    SERVICE,
    ChatShared,
    Contact,
    Dice,
    Entity,
    File,
    Files,
    Game,
    GiftInfo,
    Giveaway,
    Invoice,
    Keyboard,
    Location,
    PaidMedia,
    SharedUser,
    Story,
    TopicCreated,
    TopicEdited,
    User,
    UsersShared,
    Venue,
    WebAppData,
)
from bot.updates.polls import Checklist, Poll, ShownLink
from bot.updates.rich import RichMessage
from bot.updates.values import (
    CleanText,
    Flag,
    Hint,
    HintNumber,
    Maybe,
    Number,
    Numbers,
    Object,
    Objects,
    Present,
    or_empty,
)


class MessageChat(Object):
    """``Chat``: where a message stands."""

    id: Number
    type: Literal["private", "group", "supergroup", "channel"]
    title: Hint = None
    username: Hint = None
    is_direct_messages: Flag = False
    """One chat id for many people's conversations with a channel."""


class NamedChat(Object):
    """``Chat``: in whose name a message was sent."""

    id: Number
    title: Hint = None
    username: Hint = None


class MessageOrigin(Object):
    """``MessageOrigin``: one of four kinds, told apart by the field that names the author."""

    sender_user: Maybe[User] = None
    sender_user_name: Hint = None
    sender_chat: Maybe[NamedChat] = None
    chat: Maybe[NamedChat] = None
    message_id: HintNumber = None
    """Of a channel's post."""
    author_signature: Hint = None
    """Who of a channel or of a group's anonymous admins it was."""

    @property
    def name(self) -> str:
        """Who wrote the message first; "" where Telegram hides it."""
        if self.sender_user is not None:
            return self.sender_user.name
        chat = self.sender_chat or self.chat
        if chat is None:
            return self.sender_user_name or ""
        return f"{chat.title or ''} ({self.author_signature})" if self.author_signature else chat.title or ""


class Quote(Object):
    """``TextQuote``: the part of an answered message that its author marked."""

    text: Hint = None
    entities: Objects[Entity] = ()


class Content(Files):
    """What a message contains besides words, whether it was sent now or is answered by another."""

    video_note: Maybe[File] = None
    voice: Maybe[File] = None
    venue: Maybe[Venue] = None
    location: Maybe[Location] = None
    contact: Maybe[Contact] = None
    poll: Maybe[Poll] = None
    dice: Maybe[Dice] = None
    checklist: Maybe[Checklist] = None
    game: Maybe[Game] = None
    invoice: Maybe[Invoice] = None
    giveaway: Maybe[Giveaway] = None
    giveaway_winners: Maybe[Giveaway] = None
    story: Annotated[Story | None, BeforeValidator(or_empty)] = None
    paid_media: Annotated[PaidMedia | None, BeforeValidator(or_empty)] = None


class Worded(Content):
    """What a message contains."""

    text: Hint = None
    caption: Hint = None
    entities: Objects[Entity] = ()
    caption_entities: Objects[Entity] = ()
    rich_message: Maybe[RichMessage] = None
    reply_markup: Maybe[Keyboard] = None
    link_preview_options: Maybe[ShownLink] = None
    via_bot: Annotated[SharedUser | None, BeforeValidator(or_empty)] = None
    """The bot that a person sent it through."""
    successful_payment: Maybe[Invoice] = None
    refunded_payment: Maybe[Invoice] = None
    gift: Maybe[GiftInfo] = None
    unique_gift: Maybe[GiftInfo] = None
    gift_upgrade_sent: Maybe[GiftInfo] = None
    giveaway_created: Maybe[Giveaway] = None
    giveaway_completed: Maybe[Giveaway] = None
    users_shared: Maybe[UsersShared] = None
    user_shared: Present = False
    """What a Bot API server before 7.0 sends in place of ``users_shared``: an id without a name."""
    chat_shared: Maybe[ChatShared] = None
    web_app_data: Maybe[WebAppData] = None


class Answered(Worded):
    """``Message``: one that another message answers."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Present] = Field(init=False)  # pyright: ignore

    message_id: HintNumber = None
    from_user: Annotated[Maybe[User], Field(alias="from")] = None
    sender_chat: Maybe[NamedChat] = None
    forward_origin: Annotated[MessageOrigin | None, BeforeValidator(or_empty)] = None
    forum_topic_created: Annotated[TopicCreated | None, BeforeValidator(or_empty)] = None
    """All messages of a topic "answer" the service message that opened the topic; that is no answer."""

    @property
    def event(self) -> str | None:
        """What happened in the chat, by the field's name, where the message tells of that."""
        return next((name for name in self.model_extra or () if name in SERVICE), None)


class AnsweredElsewhere(Content):
    """``ExternalReplyInfo``: a message of another chat or topic that a message answers; its text is not told."""

    origin: Maybe[MessageOrigin] = None
    chat: Maybe[NamedChat] = None
    link_preview_options: Maybe[ShownLink] = None
    """Of a text the page that is shown with it, which is all that is told."""


class Message(Worded):
    """``Message``."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Present] = Field(init=False)  # pyright: ignore
    """The fields that the bot does not read, by name."""

    chat: MessageChat
    message_id: Number
    text: CleanText | None = None
    caption: CleanText | None = None
    date: HintNumber = None
    """Seconds since the epoch; 0 of a message that the bot can no longer see."""
    edit_date: HintNumber = None
    from_user: Annotated[User | None, Field(alias="from")] = None
    sender_chat: NamedChat | None = None
    sender_business_bot: Present = False
    business_connection_id: CleanText | None = None
    message_thread_id: Number | None = None
    is_topic_message: Flag = False
    direct_messages_topic: Present = False
    ephemeral_message_id: Present = False
    receiver_user: Present = False
    author_signature: Hint = None
    """Who wrote in the name of ``sender_chat``."""
    media_group_id: Hint = None
    guest_query_id: Hint = None
    reply_to_message: Maybe[Answered] = None
    external_reply: Maybe[AnsweredElsewhere] = None
    reply_to_story: Annotated[Story | None, BeforeValidator(or_empty)] = None
    reply_to_checklist_task_id: HintNumber = None
    reply_to_poll_option_id: Hint = None
    quote: Maybe[Quote] = None
    forward_origin: Annotated[MessageOrigin | None, BeforeValidator(or_empty)] = None
    """Of another shape, it still says that the message was forwarded."""
    is_automatic_forward: Flag = False
    forward_date: Present = False
    """This field and the next three tell of a forward where the Bot API server is older than 7.0."""
    forward_from: Maybe[User] = None
    forward_from_chat: Maybe[NamedChat] = None
    forward_sender_name: Hint = None
    forum_topic_edited: Annotated[TopicEdited | None, BeforeValidator(or_empty)] = None
    migrate_to_chat_id: Number | None = None
    migrate_from_chat_id: Number | None = None


class CallbackQuery(Object):
    """``CallbackQuery``: a pressed button."""

    id: CleanText
    from_user: Annotated[User, Field(alias="from")]
    message: Maybe[Message] = None
    inline_message_id: Hint = None
    data: Hint = None


class GenerationStopped(Object):
    """``MessageGenerationStopped``: the native Stop button of a draft."""

    chat: NamedChat
    message_thread_id: Number | None = None


class BusinessRights(Object):
    """``BusinessBotRights``: what an account lets the bot do."""

    can_reply: Flag = False


class BusinessConnection(Object):
    """``BusinessConnection``."""

    id: CleanText
    is_enabled: Flag = False
    rights: Maybe[BusinessRights] = None
    can_reply: Flag = False
    """In place of the rights, where the Bot API server is older than 9.0."""


class DeletedMessages(Object):
    """``BusinessMessagesDeleted``."""

    business_connection_id: CleanText
    chat: NamedChat
    message_ids: Numbers = ()


class ChatMember(Object):
    """``ChatMember``."""

    status: Hint = None


class MembershipChange(Object):
    """``ChatMemberUpdated``."""

    chat: Maybe[MessageChat] = None
    from_user: Annotated[Maybe[User], Field(alias="from")] = None
    """The person who changed it."""
    old_chat_member: Maybe[ChatMember] = None
    new_chat_member: Maybe[ChatMember] = None


class Reaction(Object):
    """``ReactionType``: an emoji, or one of the kinds without one."""

    emoji: Hint = None


class ReactionChange(Object):
    """``MessageReactionUpdated``: one person changed their reactions to a message."""

    chat: MessageChat
    message_id: Number
    user: User | None = None
    actor_chat: NamedChat | None = None
    """In whose name, where it is no person's own."""
    old_reaction: Objects[Reaction] = ()
    new_reaction: Objects[Reaction] = ()
