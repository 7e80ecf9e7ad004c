"""The public face of Cohort for tools written in Python: who they run for, and what may not happen twice.

from cohort import current_call, current_session
"""

from importlib.metadata import version as _version

from tasks.session import SessionKey
from workers.runtime.tools.files_out import attach
from workers.runtime.tools.session_tools import (
    Call,
    ask_user,
    current_call,
    current_session,
    recall,
    remember,
    remind_again,
    remind_me,
)

__all__ = [
    "Call",
    "SessionKey",
    "ask_user",
    "attach",
    "current_call",
    "current_session",
    "recall",
    "remember",
    "remind_again",
    "remind_me",
]

__version__ = _version("cohort")
