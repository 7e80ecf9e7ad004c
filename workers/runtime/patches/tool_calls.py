"""Where fast-agent calls tools: each call of a turn passes its journal, with a key that tools may use.

A tool that is an agent is no step: its own calls are, and a turn that runs again goes through them.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from fast_agent.constants import BUILTIN_SUBAGENT_TOOL_NAME
from mcp_types import CallToolResult, TextContent

from tasks.telemetry import metrics, tracing
from workers.runtime import spans
from workers.runtime.askers import askers_of_turn, refused_tool
from workers.runtime.durable import approval, entries, in_doubt
from workers.runtime.durable.journal import StepJournal, journal_of_turn
from workers.runtime.durable.place import inside
from workers.runtime.durable.tool_facts import ToolFacts, facts_of, keeps_files, own_name
from workers.runtime.tools.files_out import attaching, files_of_turn, with_attached
from workers.runtime.tools.files_told import told
from workers.runtime.tools.session_tools import Call, LoginAsk, ask_of_call, call_of_turn, session_of_turn
from workers.steps import PersonsAnswer, Question

META = "cohort.tool/callKey"
"""In the ``_meta`` of a request to an MCP server: the same for each try of one call."""
TOOL_USE_META = "claudecode/toolUseId"
"""Servers look for it already; ours is the key, because ids that models give are not unique."""
ENVIRONMENT = "CALL_KEY"
"""The same in the environment of a shell's process."""

_running: ContextVar[bool] = ContextVar("_running", default=False)
"""A tool call of this task is in the journal's hands; fast-agent's classes hand it on to their bases."""


type LiveToolCall = Callable[[], Awaitable[CallToolResult]]


def kept(original: Callable[..., Awaitable[CallToolResult]]) -> Callable[..., Any]:
    async def call_tool(
        self: Any,
        name: str,
        arguments: dict[str, Any] | None = None,
        tool_use_id: str | None = None,
        *,
        request_params: Any = None,
    ) -> CallToolResult:
        async def live() -> CallToolResult:
            return await original(self, name, arguments, tool_use_id, request_params=request_params)

        if _running.get():
            return await live()
        journal = journal_of_turn.get()
        key = journal.key(tool_use_id, name, arguments) if journal is not None else None
        child = await _is_agent(self, name)
        if journal is None or key is None or child:
            facts = facts_of(self, name)
            refused = await _refused_by_role(name, facts.name, agent=child)
            if refused is None and not child and _acts_inline(facts):
                refused = approval.told(approval.INLINE)
            if refused is not None:
                return refused
        if journal is None or key is None:
            return await live()
        if child:
            with inside(key), spans.agent(name):
                return await live()
        handler = getattr(request_params, "tool_execution_handler", None)
        with journal.under_way(), spans.tool_call(self.name, name, tool_use_id, arguments) as span:
            step = _Step(journal, self, _Asked(key, name, arguments, handler), live)
            result = await step.result()
            spans.tool_ended(span, result)
            return await _brought(result, step.facts, name)

    return call_tool


def child(original: Callable[..., Awaitable[CallToolResult]]) -> Callable[..., Any]:
    """A child agent of a round runs beside the others, by a way of its own."""

    async def run_child_tool_clone(self: Any, **kwargs: Any) -> CallToolResult:
        journal = journal_of_turn.get()
        key = journal and journal.key(kwargs["correlation_id"], kwargs["tool_name"], kwargs["tool_args"])
        if (refused := await _refused_by_role(kwargs["tool_name"], agent=True)) is not None:
            return refused
        if key is None:
            return await original(self, **kwargs)
        with inside(key), spans.agent(kwargs["tool_name"]):
            return await original(self, **kwargs)

    return run_child_tool_clone


async def _brought(result: CallToolResult, facts: ToolFacts, name: str) -> CallToolResult:
    """Take a result's files for the chat, whether the tool ran now or in an earlier try."""
    out = files_of_turn.get()
    if out is None or all(isinstance(block, TextContent) and not block.meta for block in result.content):
        return result
    shown = not keeps_files(facts, name)
    return told(result, await asyncio.to_thread(out.take, result.content, shown=shown))


async def _refused_by_role(
    tool: str, named: str = "", *, agent: bool = False, shell: bool = False
) -> CallToolResult | None:
    """What the model reads where the people who ask may not use a tool; None: they may.

    A shell has another name for each model, and is called ``execute`` in the operator's file. ``named``: what a tool is
    called at its server.
    """
    askers = askers_of_turn.get()
    if askers is None:
        return None
    name = own_name(tool)
    least = await askers.refusing("tools", tool, name, *filter(None, (named, "execute" if shell else "")))
    if least is None and agent:
        least = await askers.refusing("agents", tool, name)
    return None if least is None else approval.told(refused_tool(least, name))


def _acts_inline(facts: ToolFacts) -> bool:
    """Whether a tool may change something where there is no way to ask a person: in an inline message."""
    session = session_of_turn.get(None)
    return session is not None and session.inline is not None and not facts.is_read_only


async def _is_agent(agent: Any, tool: str) -> bool:
    if tool in getattr(agent, "_agent_tools", {}) or tool == BUILTIN_SUBAGENT_TOOL_NAME:
        return True
    find = getattr(agent, "_resolve_child_agent_for_call", None)
    return find is not None and await find(tool) is not None


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a model asked for. ``handler``: fast-agent's ``ToolExecutionHandler`` of the turn."""

    key: str
    name: str
    arguments: Mapping[str, Any] | None
    handler: Any


class _Step:
    """One tool call of one try."""

    def __init__(self, journal: StepJournal, agent: Any, asked: _Asked, live: LiveToolCall) -> None:
        self._journal = journal
        self._agent = agent
        self._key, self._name = asked.key, asked.name
        self._asked = asked
        self._live = live
        self.facts = facts_of(agent, asked.name)

    async def result(self) -> CallToolResult:
        """What an earlier try saw, or what it gives now."""
        journal, key = self._journal, self._key
        if not journal.has_result(key) and (refused := await self._refused_here()) is not None:
            return refused
        if journal.is_begun(key) and journal.rests(key):
            return await self._run()
        if not (journal.has_result(key) or journal.is_begun(key)):
            # An answer to this very call holds, whatever "always" allows by now: it may have been pressed for another.
            if self._needs_approval or journal.answer(key) is not None:
                refused = await self._asked_before()
                if refused is not None:
                    return refused
            await journal.begin(key, self._name)
            return await self._run()
        # A turn that goes on after tools is not shortened so that they run once more.
        replayed = getattr(self._asked.handler, "replayed", None)
        if replayed is not None:
            replayed(self._name)
        if journal.has_result(key):
            kept = await journal.result(key)
            if kept is not None:
                metrics.STEPS.labels("tool", "replayed").inc()
                tracing.current().set("cohort.step", "replayed")
                return kept
        return await self._in_doubt()

    async def _refused_here(self) -> CallToolResult | None:
        """Before anything of it happens now, also where a person had allowed it or it waited for one."""
        journal, key = self._journal, self._key
        acts = _acts_inline(self.facts)
        by_role = None if acts else await _refused_by_role(self._name, self.facts.name, shell=self.facts.runs_commands)
        refused = approval.told(approval.INLINE) if acts else by_role
        if refused is None:
            return None
        if journal.is_begun(key) and not journal.rests(key):
            journal.doubts(key, self._name, "role")
            refused = in_doubt.told(in_doubt.UNKNOWN)
        await journal.ended(key, refused)
        return refused

    @property
    def _needs_approval(self) -> bool:
        scope = approval.scope(self._agent, self._name)
        return scope not in self._journal.allowed and approval.is_needed(self.facts, self._name)

    def _question(self, *, again: bool) -> Question:
        arguments, scope = entries.written(self._asked.arguments), approval.scope(self._agent, self._name)
        return Question(self._journal.question_of(self._key), self._name, arguments, again=again, scope=scope)

    async def _asked_before(self) -> CallToolResult | None:
        """Have a person allow the call; None: it may be made."""
        journal = self._journal
        said = journal.answer(self._key)
        if said is None and journal.asks:
            await journal.park(self._question(again=False))
        if said is not None and said.verdict == "run":
            return None
        result = approval.refused(said)
        await journal.ended(self._key, result)
        return result

    async def _in_doubt(self) -> CallToolResult:
        """It had begun, and what came of it is not known."""
        journal, key = self._journal, self._key
        choice = in_doubt.decide(self.facts, self._name, asks=journal.asks, approved_once=self._needs_approval)
        said = journal.answer(key)
        metrics.STEPS.labels("tool", "in_doubt").inc()
        tracing.current().set("cohort.step", "in_doubt")
        tracing.current().set("cohort.in_doubt", choice)
        journal.doubts(key, self._name, choice)
        if choice == "ask" and said is None:
            await journal.park(self._question(again=True))
        if said.verdict == "run" if said is not None else choice == "run":
            # Marked once more: an answer is for one execution.
            await journal.begin(key, self._name)
            return await self._run(again=True)
        words = in_doubt.SAID.format(words=said.words) if said is not None and said.words else ""
        result = in_doubt.told((in_doubt.LOST if journal.has_result(key) else in_doubt.UNKNOWN) + words)
        await journal.ended(key, result)
        return result

    async def _ask(self, text: str, choices: tuple[str, ...], login: LoginAsk | None = None, /) -> PersonsAnswer | None:
        """Ask a person from inside the call."""
        journal = self._journal
        said = await journal.answer_inside(self._key, self._name, harmless=self.facts.is_harmless)
        if said is not None or (login is not None and login.given) or not journal.asks:
            return said
        question = Question(self._key, self._name, "", text=text, choices=choices)
        if login is not None and login.begin is not None:
            ident, words, link = await login.begin()
            question = replace(question, text=words, login=ident, link=link)
        await journal.ask(question)
        return None

    async def _run(self, *, again: bool = False) -> CallToolResult:
        journal, key = self._journal, self._key
        begun = time.monotonic()
        call = call_of_turn.set(Call(key, self._name, again=again))
        asks = ask_of_call.set(self._ask)
        running = _running.set(True)
        try:
            with inside(key), attaching() as attached:
                result = with_attached(await self._live(), attached)
        except Exception as problem:
            # As fast-agent words it for the model.
            text = TextContent(type="text", text=f"Error: {problem!s}")
            await journal.ended(key, CallToolResult(content=[text], is_error=True), time.monotonic() - begun)
            raise
        finally:
            _running.reset(running)
            ask_of_call.reset(asks)
            call_of_turn.reset(call)
        await journal.ended(key, result, time.monotonic() - begun)
        return result


def with_key(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def server_method_kwargs(method_name: str, method_args: dict[str, Any] | None) -> dict[str, Any]:
        kwargs = original(method_name, method_args)
        call = call_of_turn.get(None)
        if call is not None and method_name == "call_tool":
            kwargs["meta"] = {**(kwargs.get("meta") or {}), META: call.key, TOOL_USE_META: call.key}
        return kwargs

    return server_method_kwargs


def in_environment(original: Callable[..., Any]) -> Callable[..., Any]:
    def build_process_plan(self: Any, *args: Any, env: Mapping[str, str] | None = None, **kwargs: Any) -> Any:
        call = call_of_turn.get(None)
        return original(self, *args, env={**(env or {}), ENVIRONMENT: call.key} if call else env, **kwargs)

    return build_process_plan
