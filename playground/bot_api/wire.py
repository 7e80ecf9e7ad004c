"""Parses a Bot API request: parameters from query, form, multipart form or JSON, and uploaded files."""

import json
from email.message import Message
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from playground.errors import ApiError, bad_request

type Params = dict[str, Any]

MAX_BODY = 64 * 1024 * 1024
"""Bytes of a request that are read at most."""

# Forms carry these as JSON text. They are decoded here once, so that each method sees the same shape.
_STRUCTURED = frozenset(
    [
        "entities",
        "caption_entities",
        "rich_message",
        "reply_markup",
        "reply_parameters",
        "link_preview_options",
        "allowed_updates",
        "commands",
        "scope",
        "reaction",
        "media",
        "message_ids",
        "results",
        "result",
    ]
)


class Upload(NamedTuple):
    """A file in a multipart form."""

    name: str
    mime: str
    data: bytes


def _plain(pairs: list[tuple[str, str]]) -> Params:
    params: Params = {}
    for name, value in pairs:
        params[name] = value
        if name in _STRUCTURED and value[:1] in ("{", "["):
            try:
                params[name] = json.loads(value)
            except ValueError:
                raise bad_request(f"can't parse {name} JSON object") from None
    return params


def _multipart(body: bytes, boundary: str) -> tuple[Params, dict[str, Upload]]:
    pairs: list[tuple[str, str]] = []
    uploads: dict[str, Upload] = {}
    for part in body.split(b"--" + boundary.encode())[1:-1]:
        head, _, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        data = data.removesuffix(b"\r\n")
        fields = Message()
        for line in head.decode("utf-8", "replace").split("\r\n"):
            key, _, value = line.partition(":")
            fields[key] = value.strip()
        name = str(fields.get_param("name", "", "content-disposition"))
        filename = fields.get_filename()
        if filename is None:
            pairs.append((name, data.decode("utf-8", "replace")))
        else:
            uploads[name] = Upload(filename, fields.get_content_type(), data)
    return _plain(pairs), uploads


def parse(query: bytes, content_type: str, body: bytes) -> tuple[Params, dict[str, Upload]]:
    """The parameters and files of a request.

    Raises:
        ApiError: the body is not what its content type says.
    """
    params = _plain(parse_qsl(query.decode(), keep_blank_values=True)) if query else {}
    if not body:
        return params, {}
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        try:
            given = json.loads(body)
        except ValueError:
            raise bad_request("can't parse the request as JSON") from None
        if not isinstance(given, dict):
            raise bad_request("can't parse the request as JSON: expected an Object")
        params |= {name: value for name, value in given.items() if value is not None}
        return params, {}
    if kind == "multipart/form-data":
        header = Message()
        header["content-type"] = content_type
        boundary = header.get_boundary()
        if boundary is None:
            raise ApiError(400, "Bad Request: boundary not found")
        fields, uploads = _multipart(body, boundary)
        return params | fields, uploads
    if kind in ("application/x-www-form-urlencoded", ""):
        params |= _plain(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        return params, {}
    return params, {}
