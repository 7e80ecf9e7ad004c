"""A chat for tests that are no coroutines, with a bot that answers by hand."""

import asyncio

import pytest

from playground.agent_chat import AgentChat, Answer, Talking

KEYS = {"inline_keyboard": [[{"text": "Allow", "callback_data": "yes"}, {"text": "Deny", "callback_data": "no"}]]}


async def test_what_is_said_and_pressed_is_answered_by_what_the_bot_sends_then(pg, url, state, tmp_path):
    file = tmp_path / "plan.txt"
    file.write_text("a plan")

    def talked() -> tuple[list[Answer], int]:
        with Talking(f"{url}/?key={state.key}") as talking:
            chat = AgentChat.begun(talking)
            answers = [chat.send("hello", messages=2), chat.press("Allow"), chat.send_file(file, caption="read")]
            with pytest.raises(LookupError, match=r"there are \['Allow', 'Deny'\]"):
                chat.press("Perhaps")
            with pytest.raises(TimeoutError):
                chat.send("no answer comes", timeout=0)
            return answers, len(chat.messages)

    async def bot() -> None:
        offset, texts = 0, {"hello": ["one", "two"], "yes": ["allowed"], "read": ["a file"]}
        while texts:
            for update in (await pg.call("getUpdates", offset=offset, timeout=60))["result"]:
                offset = update["update_id"] + 1
                message = update.get("message") or update["callback_query"]["message"]
                said = update.get("callback_query", {}).get("data") or message.get("text") or message["caption"]
                for text in texts.pop(said):
                    await pg.call("sendMessage", chat_id=message["chat"]["id"], text=text, reply_markup=KEYS)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(bot(), name="bot")
        answers, count = await asyncio.to_thread(talked)
    assert [answer.text for answer in answers] == ["one\n\ntwo", "allowed", "a file"]
    assert answers[1].buttons == ["Allow", "Deny"]
    assert count == 4
