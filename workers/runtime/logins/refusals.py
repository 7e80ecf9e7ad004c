"""What ends a flow of a login, and what a server says of one that is not enough.

A server may want more rights for a call (403 ``insufficient_scope``, RFC 6750). The MCP SDK's flow asks for those that
were given and those that are wanted (its step-up). It acts on the refusal of a request of its own, and the call was
made by another connection, perhaps on another worker. So the refusal is kept with the login that it begins, and that
flow sees it once more.
"""

from typing import Any

import httpx2
from mcp.client.auth.utils import (
    extract_field_from_www_auth,
    extract_scope_from_www_auth,
    get_client_metadata_scopes,
    union_scopes,
)

_FORBIDDEN = 403
_CHALLENGE = "WWW-Authenticate"
_LONGEST = 2_000


class LoginNeeded(Exception):  # noqa: N818 - a state; it says nothing of the link
    """The person has to log in."""


class LoginAway(Exception):  # noqa: N818 - a state
    """The login server cannot be reached at present; nothing has changed. Try again later."""


def wanted_by(response: httpx2.Response, context: Any) -> str:
    """The challenge of a refusal for want of rights; empty for another answer, and where a login can give no more.

    Args:
        response: What the server answered.
        context: The SDK's, of the connection.
    """
    challenge = response.headers.get(_CHALLENGE, "")
    if response.status_code != _FORBIDDEN or len(challenge) > _LONGEST:
        return ""
    if extract_field_from_www_auth(response, "error") != "insufficient_scope":
        return ""
    has = (context.current_tokens.scope if context.current_tokens else None) or ""
    named = extract_scope_from_www_auth(response)
    wanted = get_client_metadata_scopes(named, context.protected_resource_metadata, context.oauth_metadata)
    return "" if union_scopes(has, wanted) in (None, "", has) else challenge


def refused_again(request: httpx2.Request, challenge: str) -> httpx2.Response:
    """The refusal, as the SDK's flow has to see it."""
    return httpx2.Response(_FORBIDDEN, headers={_CHALLENGE: challenge}, request=request)
