"""A mail: who wrote to whom, what it says, and the names of what is attached."""

from email import policy
from email.errors import MessageError
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser
from typing import cast

from workers.runtime.extraction.archive import Ended, Words
from workers.runtime.extraction.pages import page

_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_LARGEST = 32 * 2**20
_PARTS = 200


def mail(data: bytes, words: Words) -> None:
    """Add them; a saved web page (MHTML) is one, too."""
    try:
        message = BytesParser(policy=policy.default).parsebytes(data[:_LARGEST])
        _add(message, words)
    except (MessageError, LookupError, RecursionError, AttributeError, KeyError, IndexError, TypeError) as problem:
        # The standard library's parser meets hostile headers with any of these.
        raise Ended("damaged") from problem


def _add(message: EmailMessage, words: Words) -> None:
    for name in _HEADERS:
        if value := message.get(name):
            words.add(f"{name}: {' '.join(str(value).split())}\n")
    body = message.get_body(("plain", "html"))
    if body is not None:
        words.add("\n")
        text = _text(body)
        if body.get_content_type() == "text/html":
            page(iter([text.encode()]), words, "utf-8")
        else:
            words.add(text)
    for number, part in enumerate(message.iter_attachments()):
        if number == _PARTS:
            break
        words.add(f"\n[attached: {part.get_filename() or part.get_content_type()}]")


def _text(part: MIMEPart) -> str:
    content: object = part.get_payload(decode=True)
    said = part.get_content_charset("utf-8")
    try:
        return content.decode(said, errors="replace") if isinstance(content, bytes) else ""
    except LookupError:
        return cast("bytes", content).decode(errors="replace")
