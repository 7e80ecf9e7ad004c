"""Stored histories: versioned, bounded at turns, without files, faults and passing notes."""

import pytest
from fast_agent.types import PromptMessageExtended
from hypothesis import given
from hypothesis import strategies as st
from mcp_types import CallToolRequest, CallToolRequestParams, CallToolResult, ImageContent, TextContent

from tasks.envelope import Media
from workers.runtime.conversation import history
from workers.runtime.conversation.content import media_of
from workers.runtime.conversation.history import HistoryBroken, HistoryTooNew, Record
from workers.runtime.conversation.stored import MEDIA_KEY


def say(role: str, text: str, **more: object) -> PromptMessageExtended:
    return PromptMessageExtended(role=role, content=[TextContent(type="text", text=text)], **more)


def call(number: int) -> list[PromptMessageExtended]:
    """A tool call and its result."""
    request = CallToolRequest(method="tools/call", params=CallToolRequestParams(name="t", arguments={"n": number}))
    result = CallToolResult(content=[TextContent(type="text", text=f"r{number}")])
    return [
        PromptMessageExtended(role="assistant", tool_calls={f"c{number}": request}),
        PromptMessageExtended(role="user", tool_results={f"c{number}": result}),
    ]


turn = st.integers(min_value=0, max_value=4).map(
    lambda calls: [say("user", "q"), *(m for n in range(calls) for m in call(n)), say("assistant", "a")]
)


@given(turns=st.lists(turn, max_size=12), limit=st.integers(min_value=2, max_value=30))
def test_a_bounded_history_begins_with_a_user_and_keeps_calls_with_their_results(turns: list, limit: int) -> None:
    messages = [message for one in turns for message in one]
    kept = history.bound(messages, limit)
    assert kept == messages[len(messages) - len(kept) :], "the newest, in order"
    assert len(kept) <= max(limit, len(turns[-1]) if turns else 0)
    if kept:
        assert (kept[0].role, kept[0].tool_results) == ("user", None)
        called = [name for message in kept for name in message.tool_calls or ()]
        returned = [name for message in kept for name in message.tool_results or ()]
        assert sorted(called) == sorted(returned)


@given(turns=st.lists(turn, max_size=12), part=st.sampled_from([0.0, 0.125, 0.25, 0.5]))
def test_the_newest_part_of_a_history_is_whole_turns_and_smaller_until_nothing_is_left(
    turns: list, part: float
) -> None:
    record = Record([message for one in turns for message in one])
    steps = 0
    while (less := history.newest(record, part)) is not None:
        assert less.messages == record.messages[len(record.messages) - len(less.messages) :], "the newest, in order"
        assert len(less.messages) < len(record.messages)
        if less.messages:
            assert (less.messages[0].role, less.messages[0].tool_results) == ("user", None)
        record, steps = less, steps + 1
    assert record.messages == []
    assert steps <= (1 if part == 0 else 12)


def test_what_a_card_begins_with_and_a_summary_stay_when_the_rest_is_cut() -> None:
    example = say("user", "example", is_template=True)
    summary = say("user", "summary", channels={"fast-agent-compaction": [TextContent(type="text", text="{}")]})
    messages = [example, summary, *(say(role, str(n)) for n in range(10) for role in ("user", "assistant"))]
    kept = history.bound(messages, 6)
    assert kept == [example, summary, *messages[-4:]]


def test_it_comes_back_as_it_was_stored() -> None:
    record = Record([say("user", "q ünï"), *call(1), say("assistant", "a")], {"writer": [say("user", "x")]})
    back = history.decode(history.encode(record))
    assert back.messages == record.messages
    assert back.members == record.members
    assert history.decode(None) == Record()


@pytest.mark.promise("no-file-bytes")
def test_a_file_is_stored_by_its_name_at_telegram_and_its_bytes_never() -> None:
    media = Media(kind="photo", file_id="AgACAgIAAx", unique_id="u1")
    meta = {MEDIA_KEY: media.model_dump(mode="json", exclude_defaults=True)}
    image = ImageContent(type="image", data="QUJD" * 10_000, mime_type="image/png", _meta=meta)
    made = ImageContent(type="image", data="QUJD" * 10_000, mime_type="image/png")
    result = CallToolResult(content=[made])
    messages = [
        PromptMessageExtended(role="user", content=[image]),
        PromptMessageExtended(role="user", tool_results={"c1": result}),
    ]
    stored = history.encode(Record(messages))
    assert len(stored) < 1000
    first, second = history.decode(stored).messages
    assert media_of(first.content[0]) == media
    assert first.content[0].text == '<tg-file kind="photo"/>'
    assert second.tool_results["c1"].content[0].text == "[image/png from a tool]"


def test_notes_of_a_turn_about_itself_are_not_stored() -> None:
    text = [TextContent(type="text", text="secret")]
    channels = {"fast-agent-usage": text, "fast-agent-error": text, "fast-agent-timing": text, "reasoning": text}
    (message,) = history.decode(history.encode(Record([say("assistant", "a", channels=channels)]))).messages
    assert list(message.channels) == ["reasoning"]


@pytest.mark.promise("version-skew")
def test_a_history_of_a_newer_release_is_refused_in_words() -> None:
    stored = history.encode(Record())
    with pytest.raises(HistoryTooNew, match="version 2; this release reads up to 1"):
        history.decode(b"\x02" + stored[1:])


@pytest.mark.parametrize("stored", [b"\x01nonsense", b"\x00", b"\x01"])
def test_a_broken_history_is_named_as_such(stored: bytes) -> None:
    with pytest.raises(HistoryBroken):
        history.decode(stored)
