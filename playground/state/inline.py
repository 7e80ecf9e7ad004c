"""Inline queries, guest queries, and the messages that they become in chats of which the bot need not be a member."""

from playground import Json
from playground.errors import ControlError
from playground.state.chats import Chat
from playground.state.people import message_in, speaker, texts, topic_in
from playground.state.posts import post
from playground.state.queries import Query
from playground.state.world import State

_MOST_WORDS = 256
"""Characters of an inline query (Bot API, InlineQuery)."""
_KEPT = 1000


def _begin(state: State, query: Query) -> str:
    number = str(state.random.randrange(10**17, 10**18))
    state.elsewhere.queries[number] = query
    if len(state.elsewhere.queries) > _KEPT:
        state.elsewhere.queries.popitem(last=False)
    return number


def ask(state: State, chat: Chat, text: str, *, user: object = None, thread: object = None) -> tuple[str, int | None]:
    """A person types ``@bot text``; the query's id and that of its update.

    Raises:
        ControlError: the text is too long, or there is no such topic.
    """
    if len(text) > _MOST_WORDS:
        raise ControlError(f"an inline query has {_MOST_WORDS} characters at most")
    person = speaker(state, chat, user)
    topic = topic_in(chat, thread)
    number = _begin(state, Query(chat, person, text, thread=topic))
    query: Json = {"id": number, "from": person, "query": text, "offset": "", "chat_type": chat.kind}
    return number, state.bot.queue.add("inline_query", query, ("inline", person["id"]))


def choose(
    state: State, number: str, wanted: str | None = None, *, feedback: bool | None = None
) -> tuple[Json, int | None]:
    """The person sends the result with this id, by default the first: the message, and the update that tells the bot.

    Without ``feedback`` the bot is not told; None: as the playground is set, like /setinlinefeedback at BotFather.

    Raises:
        ControlError: the bot has offered nothing, or not this.
    """
    query = state.elsewhere.queries.get(number)
    if query is None or not query.results:
        raise ControlError("the bot has offered nothing", 404)
    result = next((one for one in query.results if wanted in (None, one["id"])), None)
    if result is None:
        raise ControlError("the bot has not offered this", 404)
    message, inline = placed(state, query, result, query.person)
    chosen: Json = {"result_id": result["id"], "from": query.person, "query": query.text}
    if "reply_markup" in result:
        # Without a keyboard the bot learns no id, and can change nothing.
        chosen["inline_message_id"] = inline
    if not (state.elsewhere.feedback if feedback is None else feedback):
        return message, None
    return message, state.bot.queue.add("chosen_inline_result", chosen, ("inline", query.person["id"]))


def summon(  # noqa: PLR0913 - the fields of a message
    state: State, chat: Chat, text: str, *, user: object = None, thread: object = None, reply_to: object = None
) -> tuple[Json, int | None]:
    """A person calls the bot in a chat of which it is no member; the message and the update's id."""
    topic = topic_in(chat, thread)
    if chat.bot_status != "left":
        raise ControlError("a guest is called where the bot is no member")
    answered = message_in(chat, reply_to) if reply_to is not None else None
    person = speaker(state, chat, user)
    message = post(state, chat, person, texts(text, caption=False), thread=topic, reply_to=answered)
    number = _begin(state, Query(chat, person, text, summons=message, thread=topic))
    return message, state.bot.queue.add("guest_message", message | {"guest_query_id": number}, chat.id)


def placed(state: State, query: Query, result: Json, sender: Json) -> tuple[Json, str]:
    """Put a result's message into its chat; the message and its inline id."""
    words = result["input_message_content"]
    content: Json = {"text": words["message_text"]}
    if words.get("entities"):
        content["entities"] = words["entities"]
    if "reply_markup" in result:
        content["reply_markup"] = result["reply_markup"]
    if not sender["is_bot"]:
        content["via_bot"] = state.bot.user
    message = post(state, query.chat, sender, content, thread=query.thread, reply_to=query.summons)
    inline = f"AAQ{state.random.randrange(10**17, 10**18)}_-x"
    state.elsewhere.messages[inline] = (query.chat, message["message_id"])
    if len(state.elsewhere.messages) > _KEPT:
        state.elsewhere.messages.popitem(last=False)
    return message, inline
