"""What a message answers: the words, who wrote them, and the files (pure)."""

from bot.updates.content import answered_by, formatted_text_of, media_of
from bot.updates.described import beside, describe, of_story
from bot.updates.markdown import formatted
from bot.updates.meaning import BotIdentity
from bot.updates.models import Answered, Content, Message, MessageOrigin
from bot.updates.origin import author_of
from tasks.envelope import Media, Quoted
from tasks.phrases import ANSWER_FILE

QUOTE_CHARACTERS = 2000
"""More of a quoted message is seldom what is asked about, and it would stand in the history for ever."""
_PART_CHARACTERS = 300


def quote_of(message: Message, me: BotIdentity) -> str | None:
    """The text that the message answers: the part its author marked, else the whole; None when it answers nothing."""
    marked = message.quote
    if marked is not None and marked.text:
        return formatted(marked.text, marked.entities)[:QUOTE_CHARACTERS]
    answered = answered_by(message)
    words = formatted_text_of(answered) if answered is not None else ""
    shared = answered or message.external_reply
    if shared is None:
        return of_story(message.reply_to_story) if message.reply_to_story is not None else None
    about = words or describe(shared) or _files(shared) or _untold(shared)
    if answered is not None:
        about = "\n".join(filter(None, (about, beside(answered, own=_is_ours(answered, me)))))
    return f"{about[:QUOTE_CHARACTERS]}{_part(message, shared)}"


def _untold(shared: Content) -> str:
    """Words for a message of which nothing is known: one of another chat, an old one, a kind that is newer than we."""
    if isinstance(shared, Answered) and shared.event is not None:
        return f"[an event in the chat: {shared.event.replace('_', ' ')}]"
    return "[a message whose words are not told]"


def _part(message: Message, answered: Content) -> str:
    """Which task of a checklist or option of a poll is answered."""
    if (task := message.reply_to_checklist_task_id) is not None and answered.checklist is not None:
        texts = (one.text for one in answered.checklist.tasks if one.id == task)
    elif (option := message.reply_to_poll_option_id) is not None and answered.poll is not None:
        texts = (one.text for one in answered.poll.options if one.persistent_id == option)
    else:
        return ""
    return "".join(f"\n[meant: {text[:_PART_CHARACTERS]}]" for text in texts if text)


def quoted_of(message: Message, me: BotIdentity) -> Quoted | None:
    """Who wrote what the message answers; None when it answers nothing or the author is not told."""
    answered = answered_by(message)
    if answered is not None:
        origin = answered.forward_origin
        forwarded_from = origin.name if origin is not None else None
        if _is_ours(answered, me):
            return Quoted(ours=True, forwarded_from=forwarded_from)
        sender = author_of(answered.from_user, answered.sender_chat)
        return Quoted(sender=sender, forwarded_from=forwarded_from) if sender or origin else None
    elsewhere = message.external_reply
    if elsewhere is None:
        return None
    origin = elsewhere.origin or MessageOrigin()
    author = origin.sender_user
    chat = (elsewhere.chat.title or "") if elsewhere.chat is not None else None
    if author is not None and author.id == me.id:
        return Quoted(ours=True, chat=chat)
    sender = author_of(author, origin.sender_chat or origin.chat)
    return Quoted(sender=sender, name="" if sender is not None else origin.name, chat=chat)


def quoted_files(message: Message, me: BotIdentity) -> tuple[Media, ...]:
    """The files of the answered message: "What is this?" asks about them.

    Of the bot's own the agent's history has no bytes, but the words of an answer that was spoken or sent as a file.
    """
    answered = answered_by(message)
    if answered is not None:
        files = media_of(answered)
        if not _is_ours(answered, me):
            return files
        return tuple(file.model_copy(update={"ours": True}) for file in files if not _has_words(file))
    return media_of(message.external_reply) if message.external_reply is not None else ()


def _has_words(file: Media) -> bool:
    return file.kind == "voice" or (file.name or "").endswith(ANSWER_FILE)


def _is_ours(answered: Answered, me: BotIdentity) -> bool:
    return answered.from_user is not None and answered.from_user.id == me.id


def _files(message: Content) -> str:
    """Words for a message of files only."""
    named = (": ".join(filter(None, (media.kind.replace("_", " "), media.name))) for media in media_of(message))
    return " ".join(f"[{words}]" for words in named)
