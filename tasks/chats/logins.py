"""One person's login at one MCP server, and a login that has begun: what is kept of them (pure).

Who answers a login page is known to the server alone. So the link carries a sealed ``state`` that says for whom
it was made, and the page behind it asks once more, by name, before anything is linked.
"""

import json
from typing import Any

from pydantic import BaseModel, ConfigDict

from tasks.envelope import Envelope
from tasks.secret_box import NotOurs, SecretBox

LASTS_S = 600.0
"""A login that has begun ends after so long; the question may be asked again."""


class PendingLogin(BaseModel):
    """A login that has begun: its link was shown to its person, who has not come back yet, or whose code waits."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    """Stands in the link's ``state`` and in the question that shows it."""
    session: str
    """Whose turn waits for it."""
    url: str
    """The login page."""
    verifier: str
    """Of PKCE: proves to the server that the code comes from where the link was made."""
    redirect: str
    """Where the page sends the person back to."""
    ends: float
    """Seconds since the epoch."""
    code: str = ""
    """What the person came back with; a worker exchanges it for tokens."""
    challenge: str = ""
    """What the server said when the login was not enough for a call; empty where there was none."""
    issuer: str | None = None
    """``iss`` beside the code (RFC 9207)."""


class Login(Envelope):
    """What is kept for one person at one server, sealed."""

    of: str
    """The place that it was sealed for (``place_of``): moved to another one, it is void."""
    grant: str = ""
    """Another one after each login."""
    tokens: dict[str, Any] | None = None
    """``OAuthToken`` of the MCP SDK."""
    expires_at: float | None = None
    """When the access token ends, seconds since the epoch; None where the server does not say."""
    client: dict[str, Any] | None = None
    """The SDK's ``OAuthClientInformationFull``: under which name the server knows us."""
    resource: dict[str, Any] | None = None
    """Its ``ProtectedResourceMetadata``."""
    authority: dict[str, Any] | None = None
    """Its ``OAuthMetadata``: where tokens are refreshed and revoked."""
    authority_url: str | None = None
    refreshed_by: str = ""
    """Who refreshes the tokens now: a refresh token may be good for one use only."""
    refreshing_until: float = 0.0
    """When that one counts as dead, seconds since the epoch."""
    pending: PendingLogin | None = None

    @property
    def is_linked(self) -> bool:
        """Whether there are tokens."""
        return self.tokens is not None


def place_of(bot: int, person: int, server: str) -> str:
    return f"{bot}:{person}:{server}"


class LoginState(BaseModel):
    """What a link's ``state`` says, to us alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    bot: int
    person: int
    server: str
    id: str

    def sealed(self, box: SecretBox) -> str:
        return box.seal(json.dumps(["login", self.bot, self.person, self.server, self.id]))

    @classmethod
    def opened(cls, state: str, box: SecretBox) -> "LoginState | None":
        """None: we have not made it."""
        try:
            kind, bot, person, server, ident = json.loads(box.open(state.encode("ascii", "replace")))
        except (NotOurs, ValueError, TypeError):
            return None
        return cls(bot=bot, person=person, server=server, id=ident) if kind == "login" else None
