"""What a message gives: words for the session, a control word, or a question to the bot itself (pure)."""

from dataclasses import dataclass, replace

from bot.updates.buttons import choice_of
from bot.updates.commands import CODE, UNKNOWN, UNREADABLE, Command, as_written, nearest, parse, payload_of
from bot.updates.content import formatted_text_of, media_of, text_of
from bot.updates.described import beside, describe
from bot.updates.meaning import BotIdentity
from bot.updates.models import Message
from bot.updates.objects import SERVICE
from bot.updates.origin import addressed, without_call, without_mention
from bot.updates.quotes import quote_of, quoted_files
from tasks.chats.command_names import ADMINS, CHOICES, CONTROL, CONVERSATIONS
from tasks.chats.pairing import is_code
from tasks.envelope import InboundKind, Media


@dataclass(frozen=True, slots=True)
class ParsedMessage:
    """What a message gives: to the session, or to the bot itself (``ask``)."""

    text: str
    kind: InboundKind = "message"
    media: tuple[Media, ...] = ()
    choice: dict[str, str] | None = None
    ask: Command | None = None
    addressed: bool = True
    described: bool = False
    start: str | None = None


def command_in(said: str, me: BotIdentity, *, private: bool) -> Command | None:
    """The command that a text is. In a group the bot may be called before it, with it or behind it."""
    command = parse(as_written(without_call(said, me), private=private))
    if command is None or private:
        return command
    return replace(command, argument=without_mention(command.argument, me, keep=False))


def parsed_command(command: Command, message: Message, me: BotIdentity) -> ParsedMessage | None:
    """What a command gives; None when it is ordinary text."""
    if command.name == "start" and is_code(command.argument):
        # The agent learns no code. In a group it counts for nothing, as all can read it.
        return ParsedMessage("", ask=CODE)
    if not command.is_for(me.username):
        # In a private chat, where no other bot hears it: the agent may say so.
        return None
    if command.name in CONTROL:
        media = media_of(message) if CONTROL[command.name] == "new" else ()
        return ParsedMessage(_with_form(message, me, command).argument, CONTROL[command.name], media)
    if command.name == "start" and command.argument:
        # A link https://t.me/BOT?start=PAYLOAD was opened; what the payload means, the agent may know.
        return ParsedMessage(f"/start {command.argument}", start=payload_of(command.argument))
    if command.name in CHOICES and command.argument:
        return ParsedMessage("", "choose", choice=choice_of(command.name, command.argument), ask=command)
    if command.name in CONVERSATIONS - {"sessions"} and command.argument:
        return ParsedMessage("", "conversation", choice={command.name: command.argument}, ask=command)
    if command.known:
        ask = replace(command, group=message.chat.title or "") if command.name in ADMINS else command
        return ParsedMessage(command.argument, ask=ask)
    # The agent may know it. If it is near to one of ours, the bot looks whether the agents take it.
    ask = Command(UNKNOWN, command.name) if nearest(command.name) else None
    called = message.chat.type == "private" or addressed(message, text_of(message), me)
    if command.to == me.username or (ask is not None and called):
        said = f"/{command.name} {_with_form(message, me, command).argument}".rstrip()
        return ParsedMessage(said, media=media_of(message), ask=ask)
    return None


def _with_form(message: Message, me: BotIdentity, command: Command) -> Command:
    """The command with its argument as Markdown."""
    return command_in(formatted_text_of(message), me, private=message.chat.type == "private") or command


def parsed_words(message: Message, said: str, me: BotIdentity, *, group: bool) -> ParsedMessage | None:
    """What an ordinary message gives; None when it is a service message."""
    media = media_of(message)
    about = "" if said else describe(message)
    # A rich message is its author's own text.
    described = bool(about) and message.rich_message is None
    to_us = not group or addressed(message, said if described else said or about, me)
    said = formatted_text_of(message) or about
    if not said and not media:
        return (
            None
            if not SERVICE.isdisjoint(message.model_extra or ())
            else ParsedMessage("", ask=UNREADABLE, addressed=to_us)
        )
    if group:
        said = without_mention(said, me, keep=not media and quote_of(message, me) is None)
    said = "\n".join(filter(None, (said, beside(message))))
    media = media or quoted_files(message, me)
    return ParsedMessage(said, media=media, addressed=to_us, described=described)
