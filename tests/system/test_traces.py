"""A message as one trace, from the bot's process through a worker's, at a receiver of OTLP."""

import asyncio
import json
from pathlib import Path

import pytest

from tasks.store import connect
from tests.harness.command import cohort
from tests.harness.scene import BOT, SLOTS, scene
from tests.support.spans import Receiver, Seen

CARD = "---\nname: assistant\ndefault: true\nfunction_tools: [tools.py:lookup]\n---\nYou look things up.\n"
TOOL = 'def lookup(of: str) -> str:\n    """Look something up."""\n    return f"perch beside {of}"\n'
SAID = ("swordfish", "marlin", "perch", "echo:", "You look")
"""Words of the person, of the tool's arguments and result, of the model, and of the card."""

TREE = {
    ("cohort-bot", "accept", ""),
    ("cohort-worker", "wait", "accept"),
    ("cohort-worker", "turn", "accept"),
    ("cohort-worker", "invoke_agent assistant", "turn"),
    ("cohort-worker", "chat mock", "invoke_agent assistant"),
    ("cohort-worker", "execute_tool lookup", "invoke_agent assistant"),
    ("cohort-worker", "deliver", "turn"),
}


def tree(spans: list[Seen]) -> set[tuple[str, str, str]]:
    """Service, name, and the name of the span above, of each."""
    names = {span.id: span.name for span in spans}
    return {(span.service, span.name, names.get(span.parent, span.parent)) for span in spans}


@pytest.mark.promise("traces")
async def test_a_message_is_one_trace_from_its_update_to_its_delivery_without_a_word_of_it(tmp_path: Path) -> None:
    async with Receiver() as receiver:
        variables = {
            "COHORT_TRACES": "on",
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            # Nothing is sent before the processes end: what they still hold must not be lost then.
            "OTEL_BSP_SCHEDULE_DELAY": "600000",
        }
        async with scene(tmp_path, **variables) as on:
            (on.harness.home / "cards" / "assistant.md").write_text(CARD)
            (on.harness.home / "cards" / "tools.py").write_text(TOOL)
            worker = on.harness.worker(ready=False)
            bot = await asyncio.to_thread(on.harness.bot)
            await asyncio.to_thread(worker.wait_line, "slots.served")
            chat = await on.chat()
            said = await on.say(chat, 'swordfish CALL:lookup{"of": "marlin"}')
            await on.answered(chat, said)
            ended = await asyncio.to_thread(worker.wait_line, "reply.delivered")
            await on.people.say(chat, "/help")
            await on.people.wait_for(chat, lambda ours: len(ours) > 1)
            async with asyncio.timeout(60), connect(on.harness.settings()) as store:
                while not [record async for record in store.trail.newest()]:  # noqa: ASYNC110 - it is in Redis
                    await asyncio.sleep(0.05)
            assert receiver.spans == []
            for process in (worker, bot):
                await asyncio.to_thread(process.end)
            found = cohort(
                "find", "--json", str(chat), home=tmp_path, REDIS_URL=on.harness.redis_url, COHORT_SLOTS=SLOTS
            )
    spans = await receiver.trace("accept", "deliver", "turn")
    assert tree(spans) == TREE
    (deliver,) = [span for span in spans if span.name == "deliver"]
    assert deliver.attributes["cohort.telegram.calls"] == 1
    assert deliver.attributes["cohort.telegram.wait_s"] >= 0
    (turn,) = json.loads(found.stdout)["turns"]
    assert turn["traces"] == [deliver.trace]
    assert f"trace={deliver.trace}" in ended
    # The bot's own answer has a trace, too, and is of another message.
    (other,) = {span.trace for span in receiver.spans} - {deliver.trace}
    assert tree([span for span in receiver.spans if span.trace == other]) == {
        ("cohort-bot", "accept", ""),
        ("cohort-bot", "deliver", "accept"),
    }
    sent = b"".join(receiver.raw)
    assert [word for word in (*SAID, str(chat), said.word, str(BOT)) if word.encode() in sent] == []
    assert "Traceback" not in worker.output + bot.output
