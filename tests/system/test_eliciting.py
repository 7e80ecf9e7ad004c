"""An MCP server asks in a call, over real processes: from the button that a person presses to what the server reads."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from playground.client import PlaygroundClient
from tests.harness.nursery import nursery
from tests.harness.product import Harness
from tests.harness.valkey import Valkey

SERVER = Path(__file__).parents[1] / "runtime" / "stdio_server.py"
CARD = "---\nname: assistant\ndefault: true\nservers: [shop]\n---\nYou sell.\n"
FORM = {
    "type": "object",
    "properties": {"size": {"type": "integer"}, "colour": {"type": "string", "enum": ["red", "green"]}},
    "required": ["size", "colour"],
}


@pytest.fixture
async def people(tmp_path: Path) -> AsyncIterator[PlaygroundClient]:
    valkey = Valkey(tmp_path / "valkey")
    valkey.start()
    try:
        with Harness(tmp_path / "h", valkey.url, await asyncio.to_thread(nursery)) as own:
            playground, _ = own.playground(), own.model()
            config = own.home / "fastagent.config.yaml"
            content = yaml.safe_load(config.read_text())
            content["mcp"] = {"servers": {"shop": {"command": sys.executable, "args": [str(SERVER)]}}}
            config.write_text(yaml.safe_dump(content))
            (own.home / "cards" / "assistant.md").write_text(CARD)
            own.worker(ready=False)
            own.bot()
            async with PlaygroundClient(playground) as client:
                yield client
    finally:
        valkey.end()


@pytest.mark.promise("elicited")
async def test_a_servers_form_is_answered_in_the_chat_by_words_and_by_a_button(people: PlaygroundClient) -> None:
    chat = (await people.chat())["id"]
    await people.say(chat, f"CALL:ask{json.dumps({'form': FORM})}")
    await people.wait_for(chat, lambda ours: any(one["text"].endswith("size") for one in ours), timeout=60)
    await people.say(chat, "42")
    ours = await people.wait_for(chat, lambda ours: any(one["text"] == "colour" for one in ours), timeout=60)
    question = next(one for one in ours if one["text"] == "colour")
    buttons = [button for row in question["reply_markup"]["inline_keyboard"] for button in row]
    assert [button["text"] for button in buttons] == ["red", "green", "Cancel"]
    pressed = await people.press(chat, question["message_id"], buttons[1]["callback_data"])
    answer = await people.press_answer(pressed["callback_query_id"])
    assert answer is not None
    assert answer["text"] == "Thanks."
    told = '"content": {"size": 42, "colour": "green"}'

    def answered(ours: list[dict]) -> bool:
        """The answer is whole, and no button stands anywhere; a message that grows for long has one."""
        text = "".join(one["text"] for one in ours)
        buttons = any("inline_keyboard" in one.get("reply_markup", {}) for one in ours)
        return told in text and "Answer: green" in text and not buttons

    await people.wait_for(chat, answered)
    # The words were the form's, and no message of their own.
    await people.say(chat, "further")
    await people.wait_for(chat, lambda ours: "further" in ours[-1]["text"] and "[n=2]" in ours[-1]["text"], timeout=60)
