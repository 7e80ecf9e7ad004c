"""What a message can contain besides its text, by the Bot API's names (pure)."""

from typing import Annotated

from pydantic import BeforeValidator

from bot.updates.values import CleanText, Flag, Hint, HintNumber, Maybe, Number, Object, Objects, Plain, listed


class File(Object):
    """Any of the objects that name a file: ``Document``, ``Voice``, ``Sticker``, ``PhotoSize`` ..."""

    file_id: CleanText
    file_unique_id: Hint = None
    file_size: HintNumber = None
    mime_type: Hint = None
    file_name: Hint = None
    duration: HintNumber = None
    width: HintNumber = None
    height: HintNumber = None
    emoji: Hint = None
    is_animated: Flag = False
    is_video: Flag = False

    performer: Hint = None
    title: Hint = None
    """Of music, and who plays it."""

    @property
    def titled(self) -> str | None:
        """Its name where the file has none."""
        return " - ".join(filter(None, (self.performer, self.title))) or None

    @property
    def moves(self) -> bool:
        """Whether it is a sticker that is no still picture."""
        return self.is_animated or self.is_video


class User(Object):
    """``User``: a person or a bot."""

    id: Number
    is_bot: Flag = False
    first_name: Hint = None
    last_name: Hint = None
    username: Hint = None
    language_code: Hint = None

    @property
    def name(self) -> str:
        """First and last name."""
        first, last = self.first_name, self.last_name
        return f"{first} {last}" if first and last else first or last or ""


class Entity(Object):
    """``MessageEntity``: a part of a text with a form or a meaning."""

    type: Hint = None
    offset: HintNumber = None
    length: HintNumber = None
    """Both in UTF-16 units."""
    url: Hint = None
    language: Hint = None
    unix_time: HintNumber = None
    """Of a moment, which each reader sees in their own time."""
    user: Maybe[User] = None
    """A mentioned person without a username."""


class ChatName(Object):
    """``Chat``, where only its name is read."""

    title: Hint = None
    username: Hint = None
    first_name: Hint = None


class TopicCreated(Object):
    """``ForumTopicCreated``."""

    is_name_implicit: Flag = False
    """Telegram made the name up."""


class TopicEdited(Object):
    """``ForumTopicEdited``."""

    name: Hint = None


class SharedUser(Object):
    """``SharedUser``, or ``User`` where only the name is read."""

    first_name: Hint = None
    last_name: Hint = None
    username: Hint = None


class Location(Object):
    """``Location``."""

    latitude: Plain = "?"
    longitude: Plain = "?"
    live_period: HintNumber = None


class Venue(Object):
    """``Venue``."""

    location: Maybe[Location] = None
    title: Hint = None
    address: Hint = None


class Contact(Object):
    """``Contact``."""

    first_name: Hint = None
    last_name: Hint = None
    phone_number: Plain = "?"
    vcard: Hint = None
    """What else the sender's phone knows, as a vCard."""


class LivePhoto(Object):
    """``LivePhoto``: a photo that moves for a moment; what is read of it is the photo."""

    photo: Objects[Maybe[File]] = ()


class Files(Object):
    """The files that a message has, or what is shown with a poll."""

    photo: Objects[Maybe[File]] = ()
    live_photo: Maybe[LivePhoto] = None
    animation: Maybe[File] = None
    audio: Maybe[File] = None
    document: Maybe[File] = None
    sticker: Maybe[File] = None
    video: Maybe[File] = None

    @property
    def sizes(self) -> list[File]:
        """Of its photo; one that is live has it apart in messages that are answered from another chat."""
        live = self.live_photo.photo if self.live_photo is not None else ()
        return [size for size in self.photo or live if size is not None]


class Story(Object):
    """``Story``: bots see neither its picture nor its words."""

    chat: Maybe[ChatName] = None


class PaidFile(Object):
    """``PaidMedia``: one of the files; of a preview nothing is known."""

    photo: Objects[Maybe[File]] = ()
    live_photo: Maybe[LivePhoto] = None
    video: Maybe[File] = None

    @property
    def shown(self) -> Files:
        """What of it can be opened."""
        return Files.model_construct(photo=self.photo, live_photo=self.live_photo, video=self.video)


class PaidMedia(Object):
    """``PaidMediaInfo``: of what has not been paid for, bots know no file."""

    star_count: HintNumber = None
    paid_media: Objects[PaidFile] = ()


class LinkButton(Object):
    """``InlineKeyboardButton``: one that says something to whom it is shown; others only do something."""

    text: Hint = None
    url: Hint = None


class Keyboard(Object):
    """``InlineKeyboardMarkup``: the buttons of a post, or of what was sent through another bot."""

    inline_keyboard: Annotated[tuple[Objects[LinkButton], ...], BeforeValidator(listed)] = ()


class Dice(Object):
    """``Dice``."""

    emoji: Plain = "?"
    value: Plain = "?"


class Game(Object):
    """``Game``."""

    title: Plain = "?"
    description: Hint = None
    text: Hint = None
    """What its bot says of it, as the highest scores."""
    text_entities: Objects[Entity] = ()
    photo: Objects[Maybe[File]] = ()
    animation: Maybe[File] = None

    @property
    def shown(self) -> Files:
        """What is shown with it."""
        return Files.model_construct(photo=self.photo, animation=self.animation)


class Invoice(Object):
    """``Invoice``, ``SuccessfulPayment`` or ``RefundedPayment``."""

    title: Hint = None
    description: Hint = None
    currency: Plain = "?"
    total_amount: Plain = "?"
    """In the currency's smallest unit."""
    invoice_payload: Hint = None


class Gift(Object):
    """``Gift`` or ``UniqueGift``."""

    name: Hint = None
    sticker: Maybe[File] = None
    star_count: HintNumber = None


class GiftInfo(Object):
    """``GiftInfo`` or ``UniqueGiftInfo``."""

    gift: Maybe[Gift] = None
    text: Hint = None
    entities: Objects[Entity] = ()


class Giveaway(Object):
    """``Giveaway``, ``GiveawayCreated``, ``GiveawayWinners`` or ``GiveawayCompleted``."""

    winner_count: HintNumber = None
    prize_description: Hint = None
    prize_star_count: HintNumber = None
    premium_subscription_month_count: HintNumber = None
    chats: Objects[ChatName] = ()
    """Which a person has to join."""
    winners_selection_date: HintNumber = None
    winners: Objects[SharedUser] = ()
    unclaimed_prize_count: HintNumber = None


class UsersShared(Object):
    """``UsersShared``."""

    users: Objects[SharedUser] = ()


class ChatShared(Object):
    """``ChatShared``."""

    title: Hint = None
    username: Hint = None


class WebAppData(Object):
    """``WebAppData``."""

    data: Hint = None
    button_text: Hint = None


_EVENTS = {
    "who is in the chat, and who owns it; a bot that was added greets (my_chat_member)": """
        new_chat_members left_chat_member chat_owner_left chat_owner_changed community_chat_added
        community_chat_removed community_chat_joined managed_bot_created""",
    "how the chat looks or is set up; a topic's new name counts for its title": """
        new_chat_title new_chat_photo delete_chat_photo chat_background_set message_auto_delete_timer_changed
        group_chat_created supergroup_chat_created channel_chat_created direct_message_price_changed
        paid_message_price_changed boost_added forum_topic_created forum_topic_edited forum_topic_closed
        forum_topic_reopened general_forum_topic_hidden general_forum_topic_unhidden""",
    "calls, which no bot hears": """
        video_chat_scheduled video_chat_started video_chat_ended video_chat_participants_invited""",
    "what became of a message, which its author did to it and asks nothing": """
        pinned_message checklist_tasks_done checklist_tasks_added poll_option_added poll_option_deleted
        proximity_alert_triggered""",
    "what a person let the bot do; what they want comes as a message of its own": """
        connected_website write_access_allowed""",
    "posts that are suggested to channels, whose conversations the bot does not take part in": """
        suggested_post_approved suggested_post_approval_failed suggested_post_declined suggested_post_paid
        suggested_post_refunded""",
}
"""Events in the chat, by the reason why neither the agent nor the person is told of them."""
SERVICE = frozenset(name for names in _EVENTS.values() for name in names.split())
"""Fields of ``Message`` (Bot API 10.3) that tell of an event in the chat; such a message holds no words."""
