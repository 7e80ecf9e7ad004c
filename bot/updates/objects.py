"""What a message can contain besides its text, by the Bot API's names (pure)."""

from bot.updates.values import Hint, HintNumber, Maybe, Object, Objects, Plain, Text


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


class Option(Object):
    """``PollOption``."""

    text: Hint = None


class Poll(Object):
    """``Poll``."""

    question: Hint = None
    options: Objects[Option] = ()


class Task(Object):
    """``ChecklistTask``."""

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


_SERVICE = """
    new_chat_members left_chat_member chat_owner_left chat_owner_changed new_chat_title new_chat_photo delete_chat_photo
    group_chat_created supergroup_chat_created channel_chat_created message_auto_delete_timer_changed pinned_message
    invoice successful_payment refunded_payment users_shared chat_shared user_shared gift unique_gift gift_upgrade_sent
    connected_website write_access_allowed passport_data proximity_alert_triggered boost_added chat_background_set
    checklist_tasks_done checklist_tasks_added direct_message_price_changed forum_topic_created forum_topic_edited
    forum_topic_closed forum_topic_reopened general_forum_topic_hidden general_forum_topic_unhidden giveaway_created
    giveaway giveaway_winners giveaway_completed managed_bot_created paid_message_price_changed poll_option_added
    poll_option_deleted suggested_post_approved suggested_post_approval_failed suggested_post_declined
    suggested_post_paid suggested_post_refunded video_chat_scheduled video_chat_started video_chat_ended
    video_chat_participants_invited web_app_data community_chat_added community_chat_removed community_chat_joined
"""
SERVICE = frozenset(_SERVICE.split())
"""Fields of ``Message`` (Bot API 10.3) that tell of an event in the chat; such a message holds no words."""
