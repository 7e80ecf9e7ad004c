"""A history is one that its next model takes: nothing bound to another, turns by turns, each call with its result."""

import json
import re

import pytest
from fast_agent import constants
from fast_agent.types import PromptMessageExtended
from hypothesis import given
from hypothesis import strategies as st
from mcp_types import CallToolRequest, CallToolRequestParams, CallToolResult, TextContent

from workers.runtime.conversation import fitting, history
from workers.runtime.conversation.fitting import MAKER, fit, marked, plain

OURS, OTHER = "anthropic/claude", "openai/gpt"
BOUND = (
    constants.REASONING,
    constants.ANTHROPIC_THINKING_BLOCKS,
    constants.ANTHROPIC_ASSISTANT_RAW_CONTENT,
    constants.ANTHROPIC_SERVER_TOOLS_CHANNEL,
    constants.ANTHROPIC_CONTAINER_CHANNEL,
    constants.OPENAI_REASONING_ENCRYPTED,
    constants.OPENAI_ASSISTANT_MESSAGE_ITEMS,
    constants.OPENAI_COMPACTION_ITEMS,
    constants.FAST_AGENT_PROVIDER_CHECKPOINT,
    "google-thought-signature",
    "a-provider-of-next-year",
)
NEUTRAL = (constants.FAST_AGENT_TOOL_MEDIA_MESSAGE, constants.FAST_AGENT_SYNTHETIC_FINAL_CHANNEL)


def text(words: str) -> TextContent:
    return TextContent(type="text", text=words)


def called(name: str) -> CallToolRequest:
    return CallToolRequest(method="tools/call", params=CallToolRequestParams(name=name, arguments={"a": 1}))


def say(role: str, *words: str, **more: object) -> PromptMessageExtended:
    return PromptMessageExtended(role=role, content=[text(part) for part in words], **more)


ids = st.sampled_from(["call_0", "call_0", "toolu_01ABCdef", "fc-1", "abcDEF123", "ü", "x" * 70, ""])
names = st.sampled_from(["search", "a.b", "functions/weather", "", "x" * 90, "ünï"])
words = st.lists(st.sampled_from(["one", "two", "", "  ", "\n"]), max_size=3)
channels = st.dictionaries(st.sampled_from([*BOUND, *NEUTRAL]), st.just([text("{}")]), max_size=3)


@st.composite
def message(draw: st.DrawFn) -> PromptMessageExtended:
    role = draw(st.sampled_from(["user", "assistant"]))
    found = dict(draw(channels))
    if draw(st.booleans()) and role == "assistant":
        found[MAKER] = [text(draw(st.sampled_from([OURS, OTHER])))]
    if role == "user" and draw(st.integers(0, 9)) == 0:
        found[constants.FAST_AGENT_COMPACTION_CHANNEL] = [text("{}")]
    more: dict[str, object] = {}
    if draw(st.booleans()):
        if role == "assistant":
            more["tool_calls"] = {key: called(draw(names)) for key in draw(st.lists(ids, max_size=3))} or None
        else:
            results = draw(st.lists(ids, max_size=3))
            more["tool_results"] = {key: CallToolResult(content=[text("result")]) for key in results} or None
    return say(role, *draw(words), channels=found or None, phase=draw(st.sampled_from([None, "commentary"])), **more)


@st.composite
def exchange(draw: st.DrawFn) -> list[PromptMessageExtended]:
    """A call of tools with its results, at times with one lost."""
    keys = draw(st.lists(ids, min_size=1, max_size=3, unique=True))
    found = {MAKER: [text(draw(st.sampled_from([OURS, OTHER])))], **draw(channels)}
    kept = keys[draw(st.integers(0, 1)) :] or None
    asked = say("assistant", channels=found, tool_calls={key: called(draw(names)) for key in keys})
    return [asked, say("user", tool_results={key: CallToolResult(content=[text("r")]) for key in kept or ()} or None)]


@st.composite
def histories(draw: st.DrawFn) -> list[PromptMessageExtended]:
    parts = draw(st.lists(st.one_of(message().map(lambda one: [one]), exchange()), max_size=8))
    templates = draw(st.lists(message(), max_size=2))
    examples = [one.model_copy(update={"is_template": True}) for one in templates]
    return [*examples, *(one for part in parts for one in part)]


def said(messages: list[PromptMessageExtended]) -> list[str]:
    """The words of users and assistants; a tool's files may have gone to its result."""
    fillers = {fitting.NOTED, fitting.BEGUN}
    in_results = (block for one in messages for result in (one.tool_results or {}).values() for block in result.content)
    every = [*(block for one in messages for block in one.content), *in_results]
    return sorted(block.text for block in every if block.text in {"one", "two"} and block.text not in fillers)


def form_is_whole(messages: list[PromptMessageExtended]) -> None:
    assert [one.role for one in messages] == ["user", "assistant"] * (len(messages) // 2)
    for before, after in zip(messages, [*messages, None][1:], strict=True):
        assert list(before.tool_calls or ()) == list((after and after.tool_results) or ())
        assert before.content or before.tool_calls or before.tool_results
        assert all(block.text.strip() for block in before.content)
    assert not (messages and messages[0].tool_results)


@given(messages=histories())
def test_every_history_becomes_one_that_every_model_takes_and_no_word_is_lost(
    messages: list[PromptMessageExtended],
) -> None:
    fitted = fit(messages, OURS)
    form_is_whole(fitted)
    foreign = [one for one in fitted if MAKER not in (one.channels or {}) or one.channels[MAKER][0].text != OURS]
    for one in foreign:
        assert all(name.startswith(("fast-agent-", "cohort-")) for name in one.channels or {})
        assert constants.FAST_AGENT_PROVIDER_CHECKPOINT not in (one.channels or {})
        assert one.phase is None or one.role == "user"
        assert all(re.fullmatch("[A-Za-z0-9]{9}", key) for key in one.tool_calls or {})
        assert all(re.fullmatch("[A-Za-z0-9_-]{1,64}", call.params.name) for call in (one.tool_calls or {}).values())
    keys = [key for one in foreign for key in one.tool_calls or {}]
    others = [key for one in fitted if one not in foreign for key in one.tool_calls or {}]
    assert len(keys) == len(set(keys))
    assert not set(keys) & set(others)
    assert said(fitted) == said(messages)
    assert fit(fitted, OURS) == fitted, "a prompt that changed at each turn would never be cached"


@given(messages=histories())
def test_a_history_as_words_alone_has_every_word_and_nothing_else(messages: list[PromptMessageExtended]) -> None:
    told = plain(messages)
    form_is_whole(told)
    assert not any(one.tool_calls or one.tool_results for one in told)
    everything = json.dumps([one.all_text() for one in told])
    assert everything.count("[called ") == sum(len(one.tool_calls or ()) for one in messages)
    assert everything.count("one") >= said([one.model_copy(update={"tool_results": None}) for one in messages]).count(
        "one"
    )
    assert plain(told) == told


def test_a_models_own_history_is_left_as_it_is() -> None:
    own = marked(
        [
            say("user", "q"),
            say(
                "assistant", "thinking of it", tool_calls={"toolu_1": called("a.b")}, channels={BOUND[1]: [text("{}")]}
            ),
            say("user", tool_results={"toolu_1": CallToolResult(content=[text("r")])}),
            say("assistant", "a", channels={BOUND[0]: [text("because")]}, phase="final_answer"),
        ],
        OURS,
    )
    assert all(one is before for one, before in zip(fit(own, OURS), own, strict=True))
    record = history.decode(history.encode(history.Record(own)))
    assert fit(record.messages, OURS) == record.messages, "stored and read, too"


def test_a_tools_files_go_with_its_result_and_a_users_words_do_not() -> None:
    exchanged = [say("user", "q"), say("assistant", tool_calls={"abcdefgh1": called("t")})]
    result = say("user", tool_results={"abcdefgh1": CallToolResult(content=[text("r")])})
    files = say("user", "[image/png from a tool]", channels={constants.FAST_AGENT_TOOL_MEDIA_MESSAGE: [text("{}")]})
    fitted = fit([*exchanged, result, files, say("assistant", "a")], OURS)
    assert [block.text for block in fitted[2].tool_results["abcdefgh1"].content] == ["r", "[image/png from a tool]"]
    fitted = fit([*exchanged, result, say("user", "and now?"), say("assistant", "a")], OURS)
    assert [one.all_text() for one in fitted[3:]] == [fitting.NOTED, "and now?", "a"]


def test_a_summary_stays_apart_from_the_turn_behind_it_wherever_the_history_is_cut() -> None:
    summary = say("user", "summary", channels={constants.FAST_AGENT_COMPACTION_CHANNEL: [text("{}")]})
    turns = [say(role, str(number)) for number in range(6) for role in ("user", "assistant")]
    fitted = fit([summary, *turns], OURS)
    assert [one.all_text() for one in fitted[:3]] == ["summary", fitting.NOTED, "0"]
    cut = history.bound(fitted, 6)
    assert [one.all_text() for one in cut[:3]] == ["summary", fitting.NOTED, "4"]
    assert fit(cut, OURS) == cut


@pytest.mark.parametrize("text_of_user", ["***SAVE_HISTORY x", "hi"])
def test_marks_stand_on_words_of_an_assistant_alone(text_of_user: str) -> None:
    user, assistant = marked([say("user", text_of_user), say("assistant", "a")], OURS)
    assert (user.channels, list(assistant.channels)) == (None, [MAKER])
    assert marked([assistant], OTHER)[0].channels[MAKER][0].text == OURS, "who wrote it first"
