"""Before each model call of the agent that leads a turn, messages that came meanwhile join it."""

from collections.abc import Awaitable, Callable
from typing import Any

from workers.runtime.durable.place import inside_of_call
from workers.runtime.durable.steering import steering_of_turn


def joined(original: Callable[..., Awaitable[None]]) -> Callable[..., Any]:
    """``ToolRunner._run_before_llm_hook``."""

    async def run_before_llm_hook(self: Any) -> None:
        await original(self)
        joining = steering_of_turn.get()
        agent = getattr(self._agent, "name", None)
        if joining is None or agent != joining.lead or inside_of_call():
            return
        number = sum(message.role == "assistant" for message in self.turn_messages)
        messages = await joining.before(number)
        if messages:
            # Google's part adds to a record of its own what follows the last assistant's word, and loses what stands
            # before that: the results of tools. Without the record it reads the whole conversation.
            memory = getattr(getattr(self._agent, "llm", None), "history", None)
            if memory is not None:
                memory.clear()
            self.append_messages(*messages)

    return run_before_llm_hook
