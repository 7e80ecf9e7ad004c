"""Runs one turn on one lane: loads the history, calls the agent, checks the answer, takes the new history out."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fast_agent.constants import FAST_AGENT_ALERT_CHANNEL
from fast_agent.types import LlmStopReason, PromptMessageExtended, RequestParams
from mcp_types import TextContent

from tasks.errors import ClaimLost, without_frames
from tasks.phrases import phrase
from tasks.session import SessionKey
from workers.interfaces import Sink, TurnFailed
from workers.runtime.call_log import CallLog, call_log_of_turn, channel
from workers.runtime.conversation import fitting, history
from workers.runtime.conversation.history import Record
from workers.runtime.durable.journal import journal_of_turn
from workers.runtime.durable.steering import steering_of_turn
from workers.runtime.faults import classify as faults
from workers.runtime.faults.model_fault import ModelFault
from workers.runtime.models.choice import ModelChoice
from workers.runtime.tools.files_out import files_of_turn
from workers.runtime.tools.session_tools import Toolbox, session_of_turn, toolbox_of_turn
from workers.runtime.turns.answer_check import check, text_of
from workers.runtime.turns.live_text import LiveText
from workers.runtime.turns.tool_display import ToolDisplay
from workers.steps import TurnParked
from workers.usage import Usage

_INSIST_S = 0.2
"""A turn that does not end within this time after a cancellation is cancelled again: fast-agent swallows a
cancellation, and a workflow then goes on with its next step."""


@dataclass(slots=True)
class TurnAnswer:
    """What a turn gave."""

    text: str
    record: Record
    """The session's history with this turn in it."""
    usage: Usage
    cut: bool = False
    """The model reached its length limit."""
    notices: list[str] = field(default_factory=list[str])
    dead_server: bool = False
    """An MCP server of the lane has died, so the lane must be replaced."""
    broke_off: bool = False
    """The stream ended without a stop reason."""


@dataclass(frozen=True, slots=True)
class TurnInput:
    """What a turn works on."""

    message: PromptMessageExtended
    """The user's turn."""
    record: Record
    """The session's history, bounded."""
    sink: Sink
    """Where the turn shows itself while it runs."""
    open_ended: bool = False
    """An answer whose stream ended without a stop reason is accepted, with a notice."""

    @property
    def texts(self) -> Iterator[str]:
        """The texts of the conversation and of the message, read one by one as they are asked for."""
        return (message.all_text() for message in (*self.record.messages, self.message))


async def insist[T](work: Callable[[], Awaitable[T]], name: str, call_log: CallLog) -> T:
    """Run a coroutine so that our cancellation ends it even if it swallows a ``CancelledError``.

    fast-agent turns a cancellation into an ordinary result, after which a workflow calls the next model. So the work
    runs in a task of its own, which is cancelled again until it is done, and ``call_log.over`` refuses further model
    calls. ``asyncio.wait`` keeps two cancellations apart: only the caller's is raised here, one within the work is not.

    Args:
        work: Makes the coroutine.
        name: The task's name.
        call_log: Refuses model calls once the turn is over.

    Raises:
        asyncio.CancelledError: the caller was cancelled; the work has ended.
        TurnParked, ClaimLost: the turn's journal ended it.
        Exception: the work raised it.
    """
    outcome: list[T] = []
    problem: list[Exception] = []

    async def child() -> None:
        try:
            outcome.append(await work())
        except Exception as error:  # noqa: BLE001 - raised below, outside of the group, which would wrap it
            problem.append(error)

    journal = journal_of_turn.get()
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future() if journal is None else journal.over
    async with asyncio.TaskGroup() as group:
        task = group.create_task(child(), name=name)
        try:
            await asyncio.wait({task, over}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await _end(task, call_log)
            raise
        # The turn ended from within: it waits for a person, or is another worker's.
        if over.done():
            await _end(task, call_log)
    if over.done():
        over.result()
    if problem:
        # Taken out: its traceback holds this frame, which would hold it.
        raise problem.pop()
    if not outcome:
        raise TurnFailed("retry", phrase("another-try"), "the turn was cancelled from within", backoff=faults.SHORT_S)
    return outcome[0]


async def _end(task: asyncio.Task[None], call_log: CallLog) -> None:
    """Cancel a turn's task until it is done: the first cancellation may end as an ordinary result of one call."""
    call_log.over = True
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_INSIST_S)


async def run_logged[T](session: SessionKey, tools: Toolbox, work: Callable[[], Awaitable[T]]) -> tuple[T, CallLog]:
    """Run model calls for a session: noted in a ``CallLog``, with the session known to tools, ended by a cancellation.

    Returns:
        What the work returned, and the log of its model calls.

    Raises:
        asyncio.CancelledError: the caller was cancelled.
        Exception: the work raised it.
    """
    call_log = CallLog()

    async def inside() -> T:
        call_log_of_turn.set(call_log)
        session_of_turn.set(session)
        toolbox_of_turn.set(tools)
        return await work()

    try:
        return await insist(inside, f"turn-{session}", call_log), call_log
    finally:
        call_log.forget()


class Turn:
    """Runs one message against the agents of a lane. The engine, which borrowed the lane, resets it."""

    def __init__(self, agents: dict[str, Any], choice: ModelChoice, session: SessionKey, tools: Toolbox) -> None:
        self._agents = agents
        self._choice = choice
        self._agent = agents[choice.agent]
        self._model = choice.model
        self._session = session
        self._tools = tools
        self._tool_display: ToolDisplay | None = None

    @property
    def tools_ran(self) -> bool:
        """Whether the last run called a tool."""
        return self._tool_display is not None and self._tool_display.ran

    async def run(self, work: TurnInput) -> TurnAnswer:
        """Answer one user message.

        Raises:
            TurnFailed: no answer; what was shown is taken back.
            TurnParked, ClaimLost: see ``AgentRuntime.run``.
            asyncio.CancelledError: cancelled.
        """
        record = fitting.load(self._agents, self._choice.agent, work.record)
        work = TurnInput(work.message, record, work.sink, work.open_ended)
        if (joining := steering_of_turn.get()) is not None:
            joining.restart()
        live = LiveText(work.sink)
        for name in self._choice.speakers:
            self._agents[name].add_stream_listener(live)
        tools = self._tool_display = ToolDisplay(work.sink)
        params = RequestParams(tool_execution_handler=tools)
        try:
            response: PromptMessageExtended
            response, call_log = await run_logged(
                self._session, self._tools, lambda: self._agent.generate([work.message], params)
            )
            check(response, call_log, self._model, sent=work.texts, open_ended=work.open_ended)
            answer = self._answer(work, response, call_log)
        except TurnFailed as problem:
            thought = live.thought
            live.take_back()
            if thought and isinstance(problem, faults.EmptyAnswer):
                raise faults.only_thoughts(problem) from problem
            raise
        except (ClaimLost, TurnParked):
            # Another worker, or a later run, shows the turn in the same message.
            raise
        except Exception as problem:
            live.take_back()
            # A frame of fast-agent's that its traceback holds may hold it.
            without_frames(problem)
            raise faults.classify(ModelFault.of(problem), self._model, work.texts) from problem
        answer.dead_server = tools.dead_server
        return answer

    def _answer(self, work: TurnInput, response: PromptMessageExtended, call_log: CallLog) -> TurnAnswer:
        record = work.record
        loaded = len(record.messages)
        text, kept = self._said(work, response)
        kept, members = self._marked(record, kept)
        if call_log.cut and not text:
            raise faults.endless(self._model)
        if call_log.cut and not text_of(kept[-1]).strip():
            # Providers refuse a history in which a message says nothing.
            kept[-1] = kept[-1].model_copy(update={"content": [TextContent(type="text", text="[cut]")]})
        cut = call_log.cut or response.stop_reason == LlmStopReason.MAX_TOKENS
        if (out := files_of_turn.get()) is not None:
            text = out.undrawn(text)
        done = TurnAnswer(text, Record(kept, {**record.members, **members}), call_log.usage(self._model), cut=cut)
        done.broke_off = any(call.unfinished for call in call_log.calls)
        if done.broke_off:
            done.notices.append(phrase("broke-off"))
        if any(channel(item, FAST_AGENT_ALERT_CHANNEL) for item in kept[loaded:] if not item.tool_results):
            # What a tool gave is no file of the person's; the model reads that it cannot have it.
            done.notices.append(phrase("cannot-file"))
        return done

    def _said(self, work: TurnInput, response: PromptMessageExtended) -> tuple[str, list[PromptMessageExtended]]:
        """The answer's text, and the conversation with it."""
        loaded = len(work.record.messages)
        kept: list[PromptMessageExtended] = list(self._agent.message_history)
        if not self._choice.workflow and len(kept) > loaded and kept[-1].role == "assistant":
            own = (item for item in kept[loaded:] if history.STEERED not in (item.channels or {}))
            said = [text_of(item).strip() for item in own if item.role == "assistant"]
            return "\n\n".join(part for part in said if part), kept
        # Its card keeps no history, or only its members do: the session still knows what was said.
        text = text_of(response).strip()
        answer = PromptMessageExtended(role="assistant", content=[TextContent(type="text", text=text)])
        return text, [*work.record.messages, work.message, answer]

    def _marked(
        self, record: Record, kept: list[PromptMessageExtended]
    ) -> tuple[list[PromptMessageExtended], dict[str, list[PromptMessageExtended]]]:
        """The conversation and those of the members, each message with its model and, where members spoke, its turn."""
        loaded = len(record.messages)
        kept = fitting.marked(kept, fitting.maker_of(self._agent))
        members = {
            name: fitting.marked(agent.message_history, fitting.maker_of(agent))
            for name, agent in self._agents.items()
            # Of an agent used as a tool there is a history where its card asks for one.
            if name in self._choice.members - {self._choice.agent}
            and not all(message.is_template for message in agent.message_history)
        }
        journal = journal_of_turn.get()
        if members and journal is not None:
            # /undo finds by it what the members said in this turn.
            turn = journal.steps.turn
            kept[loaded:] = history.marked_turn(kept[loaded:], turn)
            for name, messages in members.items():
                before = len(record.members.get(name, ()))
                if len(messages) > before:
                    members[name] = [*messages[:before], *history.marked_turn(messages[before:], turn)]
        return kept, members
