"""Buttons whose data no bot of ours made: a client can send any (Bot API, CallbackQuery)."""

from itertools import batched

import pytest
from aiogram import types as tg

from tasks.chats.access import Access
from tasks.chats.command_names import ADMINS, CHOICES
from tasks.config.settings import Settings
from tasks.store import Store
from tests.bot.conftest import make_bot
from tests.bot.updates import ANN, BOT, GROUP, PRIVATE, message, pressed

WORDS = ("retry", "undo", "stop", "reminders", "forget", "logout", "sessions", "resume", "ask", "waits", "", "new")
ARGUMENTS = [
    "",
    ":",
    "::once",
    "q1:" + "x" * 50,
    "-1",
    "0",
    "9" * 40,
    "²",
    "١",
    "1e5",
    "all",
    "yes",
    "../../etc/passwd",
    "{0.__class__}%s",
    "\x00\n",
    "\ud83d",
    "👩‍👩‍👧",
    "0" * 16,
    "default",
]


@pytest.mark.promise("poison-update")
@pytest.mark.parametrize("chat", [PRIVATE, GROUP], ids=lambda chat: chat.type)
async def test_whatever_a_forged_button_says_its_press_is_answered_once_and_buries_nothing(
    settings: Settings, store: Store, chat: tg.Chat
) -> None:
    access = Access(everybody=True, allow=frozenset(), admins=frozenset({ANN.id}))
    bot = make_bot(settings.model_copy(update={"rate": 0}), store, access=access)
    made = [f"{word}:{argument}" for word in (*WORDS, *sorted(ADMINS | CHOICES)) for argument in ARGUMENTS]
    on = message("x", chat=chat, sender=BOT)
    updates = [pressed("x", on, update_id=number) for number in range(1, len(made) + 1)]
    for number, (update, data) in enumerate(zip(updates, made, strict=True), 1):
        update["callback_query"] |= {"data": data, "id": str(number)}
    for batch in batched(updates, 20):
        await bot.intake.take(batch)
        await bot.followed()
    assert sorted(int(callback) for callback, _ in bot.signs.pressed) == list(range(1, len(made) + 1))
    assert await store.dead.count() == 0
