"""What the vendors' clients build at their first answer, for the process that those of a run are forked from."""

import anthropic._models
import openai._models
from anthropic.types.beta import BetaRawMessageStreamEvent
from openai.types.responses import ResponseStreamEvent


def load() -> None:
    """Have it built: it takes each process half a second and 40 MiB otherwise."""
    openai._models.construct_type(type_=ResponseStreamEvent, value={"type": "response.completed", "response": {}})
    anthropic._models.construct_type(type_=BetaRawMessageStreamEvent, value={"type": "message_start", "message": {}})
