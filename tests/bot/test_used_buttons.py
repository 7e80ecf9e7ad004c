"""Buttons that are used once go from their message."""

from bot.api import Telegram
from playground.client import PlaygroundClient
from tasks.session import SessionKey
from tests.conftest import BOT

KEYBOARD = {"inline_keyboard": [[{"text": "Retry", "callback_data": "retry"}]]}


async def test_the_buttons_of_a_message_are_taken_away_and_its_text_stays(
    telegram: Telegram, people: PlaygroundClient
) -> None:
    chat = (await people.chat("private"))["id"]
    sent = await telegram._bot.send_message(chat, "Sorry.", api_kwargs={"reply_markup": KEYBOARD})
    assert "reply_markup" in (await people.bot_messages(chat))[0]
    await telegram.take_buttons(SessionKey(BOT, chat), sent.message_id)
    (message,) = await people.bot_messages(chat)
    assert message["text"] == "Sorry."
    assert "reply_markup" not in message
