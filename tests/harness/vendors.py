"""What the vendors' clients build at their first answer, for the process that those of a run are forked from."""

import openai.resources.chat.chat
import openai.resources.responses.responses  # noqa: F401 - by being loaded

from workers.process import first_answers


def load() -> None:
    """Have it built: it takes each process half a second and 40 MiB otherwise."""
    first_answers.build()
