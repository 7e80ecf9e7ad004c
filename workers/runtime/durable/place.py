"""Where in its turn a task is: inside of which tool calls, and behind which answer of a model."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from fast_agent.types import PromptMessageExtended


@dataclass(slots=True)
class ModelStep:
    """One call of a model. Its ``key`` costs a look at the whole conversation, so it is made when it is needed."""

    agent: str
    within: str
    messages: Sequence[PromptMessageExtended]
    form: str
    key: str = ""


within: ContextVar[tuple[str, ...]] = ContextVar("within", default=())
"""The tool calls that this task runs inside of."""
answered_to: ContextVar[ModelStep | None] = ContextVar("answered_to", default=None)
"""The model call whose answer this task has."""
round_of: ContextVar[ModelStep | None] = ContextVar("round_of", default=None)
"""The model call whose tools run now."""


@contextmanager
def tools_of_answer() -> Generator[None]:
    """The tools that the last model call of this task asked for run inside."""
    token = round_of.set(answered_to.get())
    try:
        yield
    finally:
        round_of.reset(token)


@contextmanager
def inside(key: str) -> Generator[None]:
    """The model calls and tool calls of a tool call."""
    before = answered_to.get()
    token = within.set((*within.get(), key))
    try:
        yield
    finally:
        within.reset(token)
        # A child agent that ran in this task has answered to its own.
        answered_to.set(before)


def inside_of_call() -> bool:
    """Whether this task runs inside of a tool call, as a child agent does."""
    return bool(within.get())
