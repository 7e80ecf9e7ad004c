"""What a message can contain besides its text, by the Bot API's names (pure)."""

from bot.updates.values import Flag, Hint, HintNumber, Maybe, Numbers, Object, Objects, Plain, Text


class File(Object):
    """Any of the objects that name a file: ``Document``, ``Voice``, ``Sticker``, ``PhotoSize`` ..."""

    file_id: Text
    file_unique_id: Hint = None
    file_size: HintNumber = None
    mime_type: Hint = None
    file_name: Hint = None
    duration: HintNumber = None
    width: HintNumber = None
    height: HintNumber = None
    emoji: Plain = "?"
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


class Files(Object):
    """The files that a message has, and ``PollMedia``: a poll, its explanation or one of its options."""

    photo: Objects[Maybe[File]] = ()
    animation: Maybe[File] = None
    audio: Maybe[File] = None
    document: Maybe[File] = None
    sticker: Maybe[File] = None
    video: Maybe[File] = None


class Option(Object):
    """``PollOption``."""

    text: Hint = None
    persistent_id: Hint = None
    media: Maybe[Files] = None


class Poll(Object):
    """``Poll``."""

    type: Hint = None
    """A quiz has one right answer or several."""
    question: Hint = None
    options: Objects[Option] = ()
    correct_option_ids: Numbers = ()
    """Told of a quiz that is closed or the bot's own."""
    description: Hint = None
    media: Maybe[Files] = None
    explanation: Hint = None
    """Of the right answer."""
    explanation_media: Maybe[Files] = None

    @property
    def shown(self) -> tuple[Files, ...]:
        """What is shown with it."""
        holders = (self.media, *(option.media for option in self.options), self.explanation_media)
        return tuple(holder for holder in holders if holder is not None)


class Task(Object):
    """``ChecklistTask``."""

    id: HintNumber = None
    text: Hint = None
    completion_date: HintNumber = None


class Checklist(Object):
    """``Checklist``."""

    title: Hint = None
    tasks: Objects[Task] = ()


class Dice(Object):
    """``Dice``."""

    emoji: Plain = "?"
    value: Plain = "?"


class Game(Object):
    """``Game``."""

    title: Plain = "?"


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


class Giveaway(Object):
    """``Giveaway``, ``GiveawayCreated``, ``GiveawayWinners`` or ``GiveawayCompleted``."""

    winner_count: HintNumber = None
    prize_description: Hint = None
    prize_star_count: HintNumber = None
    premium_subscription_month_count: HintNumber = None
    winners: Objects[SharedUser] = ()


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


_SERVICE = """
    new_chat_members left_chat_member chat_owner_left chat_owner_changed new_chat_title new_chat_photo
    delete_chat_photo group_chat_created supergroup_chat_created channel_chat_created
    message_auto_delete_timer_changed pinned_message connected_website write_access_allowed
    proximity_alert_triggered boost_added chat_background_set checklist_tasks_done checklist_tasks_added
    direct_message_price_changed forum_topic_created forum_topic_edited forum_topic_closed forum_topic_reopened
    general_forum_topic_hidden general_forum_topic_unhidden managed_bot_created paid_message_price_changed
    poll_option_added poll_option_deleted suggested_post_approved suggested_post_approval_failed
    suggested_post_declined suggested_post_paid suggested_post_refunded video_chat_scheduled video_chat_started
    video_chat_ended video_chat_participants_invited community_chat_added community_chat_removed
    community_chat_joined
"""
SERVICE = frozenset(_SERVICE.split())
"""Fields of ``Message`` (Bot API 10.3) that tell of an event in the chat; such a message holds no words."""
