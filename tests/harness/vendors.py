"""All that patches are put into, and what vendors' clients build at a first answer: what a run's processes share.

A check of the patches loads all of it, which takes two seconds of processor time.
"""

import openai.resources.chat.chat
import openai.resources.responses.responses  # noqa: F401 - by being loaded

from workers.process import first_answers
from workers.runtime.patches import patch


def load() -> None:
    """Have it built: it takes each process half a second and 40 MiB otherwise."""
    list(patch.mismatches())  # A test tells of them; here they are loaded and looked at.
    first_answers.build()
