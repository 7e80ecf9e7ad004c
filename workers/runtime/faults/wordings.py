"""How providers word what went wrong, where its status does not say it (pure).

All are in lower case, from the documentation and the bug reports of many providers.
"""

import re

QUOTA = ("insufficient_quota", "exceeded your current quota", "credit balance", "billing", "payment required")
KEY = (
    "api key not valid",
    "api_key_invalid",
    "invalid api key",
    "incorrect api key",
    "could not resolve authentication",
)
# A refused model's name comes under 400, 403, 404 and 422, with or without a code.
NO_MODEL = re.compile(
    r"model[_ -]?(?:not[_ -]?(?:found|exists?|available|supported)|decommissioned)|(?:invalid|unknown)[_ ]model"
    r"|not a valid model|not found the model|no endpoints found|model identifier is invalid|deploymentnotfound"
    r"|模型不存在|models?\W{1,3}[\w./:@-]+\W{1,3}(?:model )?"
    r"(?:does not exist|(?:is |was )?not (?:found|supported|available)|has been (?:de|re)|is (?:deprecated|no longer))"
)
# Asking in other words does not help: the account, its place, or what the model is able to.
SETUP = re.compile(
    r"api key expired|location is not supported|(region|territory) (is )?not supported|organization must be verified"
    r"|account is in good standing|arrearage"
    r"|(account|organi[sz]ation|project|consumer|team|workspace|api key)[^.]{0,60}"
    r"(deactivated|disabled|suspended|terminated)"
    r"|invalid 'tools\b|\btools(\.|\[)\d|tool names must be unique|too many (tools|functions)\b"
    r"|invalid schema for function"
    r"|does(n't| not) support (tools?|function)\b"
    r"|(function|tool) (calling|calls?|use) (is|are) not (enabled|supported|available)"
)
FILTER = (
    *("content_filter", "content filter", "content management policy", "content_policy", "safety system"),
    *("invalid_prompt", "policy_violation", "violating our usage policy", "bio_policy", "cyber_policy"),
)
PICTURE = re.compile(
    r"(?:could(?: not|n't)|cannot|can't|unable to|failed to) (?:\w+ ){0,2}(?:image|picture)"
    r"|(?:unsupported|invalid|valid|corrupt(?:ed)?)[ _]image|image(?: data| is| was)* (?:not valid|invalid|corrupt)"
    r"|image_parse_error|image (?:\w+ ){0,2}exceeds?\b|image does not match"
)
"""Damaged, of another format than its name says, or with too many pixels or bytes: only a provider decodes it."""
