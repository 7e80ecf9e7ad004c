"""fast-agent's ``human_input``: a model's form is put to the person of the chat, as ``ask_user`` puts its question."""

import json
from collections.abc import Mapping
from typing import Any

from workers.runtime.asking.forms import Form, fill
from workers.runtime.tools.session_tools import ask_of_call
from workers.steps import PersonsAnswer

CANCELLED, DECLINED = "The person cancelled this form.", "The person said no to this form."
NO_ONE = "Not asked: there is no person to ask here."


async def from_person(request: Mapping[str, Any], *_: object) -> str:
    """fast-agent's ``ElicitationCallback``: the values as JSON, or what became of them.

    The call parks its turn with each question, and runs to the next one when the turn goes on.
    """
    ask = ask_of_call.get()
    if ask is None:
        return NO_ONE
    alone = False

    async def asking(text: str, choices: tuple[str, ...]) -> PersonsAnswer | None:
        nonlocal alone
        said = await ask(text, choices)
        alone = said is None
        return said

    schema: Any = request.get("metadata", {}).get("requested_schema", {})
    about = request.get("description")
    words = "\n".join(str(part) for part in (request.get("prompt"), about) if part)
    filled = await fill(Form(words, schema), asking)
    if alone:
        return NO_ONE
    if filled.action == "accept":
        return json.dumps(dict(filled.values), ensure_ascii=False)
    return DECLINED if filled.action == "decline" else CANCELLED
