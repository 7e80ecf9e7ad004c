"""Where fast-agent's ``human_input`` asks: a person of the chat answers, and no terminal."""

from collections.abc import Callable
from typing import Any

from workers.runtime.asking.human_input import from_person


def of_the_chat(_: Callable[[], Any]) -> Callable[[], Any]:
    """``get_elicitation_input_callback``: each new agent sets fast-agent's own, which opens a terminal form."""

    def get_elicitation_input_callback() -> Any:
        return from_person

    return get_elicitation_input_callback
