"""Recognises refusals of requests that are too long for the model, in the words of many providers (pure).

There is no common error code: most providers send a 400 and a sentence of their own. ``tests/runtime/too_long.tsv``
lists the sentences.
"""

import re

# One request exceeds a minute's allowance: waiting does not help, a shorter request does.
_ALONE = re.compile(r"request too large for|must be reduced in order|reduce your message size|request is too large for")
_ALLOWANCE = re.compile(r"\blimit:? ~?([\d,]+)\b.{0,60}?\brequested:? ~?([\d,]+)")
# Limits of tokens over time. These pass by waiting.
_LIMIT = re.compile(
    r"rate.?limit|throttl|quota|too many requests|try again (in|later|after)|retry (in|after)|please (wait|slow)"
    r"|(per|a|each) (second|sec|minute|min|hour|day|month)\b|\b(tpm|tpd|rpm|rpd|hourly|daily|weekly|monthly)\b"
)
# The card's max_tokens exceeds what the model allows.
_OUTPUT = re.compile(
    r"max (completion |output |new )?tokens`?'? (is too (large|high|big)|must be (less|at most|between|<|in|smaller)"
    r"|exceeds?|should be|cannot|can't|: \d+ >)|max (completion |output |new )?tokens: \d+ >|range of max tokens"
    r"|maximum (allowed )?number of output tokens|maximum value for `?max|max ?output ?tokens value"
    r"|at most \d+ (completion|output) tokens"
)
_WORDS = (
    r"context (length|window|size|limit|budget|overflow)|\bn ctx\b|(maximum|max|available|total) context",
    r"exceed\w*\W+(\w+\W+){0,5}context|context (is )?too (long|large|big)",
    r"(max|maximum|allowed) (prompt|input|model|sequence|content|message) (length|size|len)",
    r"(prompt|inputs?|request|messages?|conversation|history|query) (\w+ ){0,3}too (long|large|big)",
    r"(text|document|payload|body|entity) (\w+ ){0,3}too (long|large|big)",
    r"too large for (this |the )?model|too big compared to",
    r"too many (\w+ )?tokens|tokens? (is |are )?too (long|many)",
    r"tokens?\b.{0,80}\b(exceed|more than max|cannot be more)|exceed\w*\b.{0,60}\btokens?\b|token limit",
    r"(input|prompt|request|payload|message|content)s? (\w+ )?(length|size)\b.{0,60}\bexceed",
    r"(input|prompt|request|message|content)s? (\w+ )?limit (is |was )?exceeded",
    r"request exceeds the (maximum|limit)|payload size exceeds",
    r"(reduce|shorten|truncate|decrease) (the |your )?(\w+ ){0,3}(length|size|prompt|inputs?|messages?|context)\b",
    r"range of input length|max input (characters|tokens|length)|max length of (current|the) question",
    r"inputs`? (tokens )?\+? ?`?(max new tokens`? )?must (be|have)|must have less than \d+ tokens",
    r"(longer|larger|greater) than (the |its )?(\w+ )?(model|context|maximum|max\b|specified|allowed|limit)",
    r"supports up to \d+|input token count|max len\b|(messages|input|contents?)\S* (string|array) too long",
    r"request too large",
    r"上下文.{0,12}(过长|超|太长|限制)|(超出|超过|大于).{0,12}(上下文|输入长度|最大长度|最大输入)|压缩上下文",
    r"(prompt|输入|长度|token).{0,12}(超长|过长|太长|超限|超过|超出)",
)
_TOO_LONG = re.compile("|".join(_WORDS))
# ... unless the sentence is about input and output together.
_BOTH = re.compile(r"context (length|limit)|input tokens|inputs`? tokens")

_ENOUGH = 4_000
"""Characters that are searched: the text may hold a whole page of HTML."""

# Refused for lack of a right, of money or of the thing itself; never for a length.
_NEVER = frozenset({401, 402, 403, 404})
_TOO_MANY = 429


def _plain(text: str) -> str:
    return text[:_ENOUGH].casefold().replace("_", " ")


def too_long(text: str, status: int | None = None) -> bool:
    """Whether a refusal says that the request is too long for the model."""
    if status in _NEVER:
        return False
    said = _plain(text)
    if _ALONE.search(said) or _larger_than_its_allowance(said):
        return True
    if status == _TOO_MANY or _LIMIT.search(said) or answer_too_long(text):
        return False
    return _TOO_LONG.search(said) is not None


def answer_too_long(text: str) -> bool:
    """Whether a refusal is about the answer's length that the request asks for, which is a card's setting."""
    said = _plain(text)
    return _OUTPUT.search(said) is not None and _BOTH.search(said) is None


def _larger_than_its_allowance(said: str) -> bool:
    found = _ALLOWANCE.search(said)
    if found is None:
        return False
    limit, requested = (int(number.replace(",", "")) for number in found.groups())
    return requested > limit
