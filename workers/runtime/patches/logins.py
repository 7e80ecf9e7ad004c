"""Where fast-agent gives a connection its OAuth client: one of a person's own brings the person's."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from workers.runtime.logins.connection import provider_of


def of_the_person(original: Callable[..., Any]) -> Callable[..., Any]:
    """``_prepare_headers_and_auth``: it knows the terminal's OAuth client only."""

    def prepare_headers_and_auth(server_config: Any, **how: Any) -> Any:
        prepared = original(server_config, **how)
        provider = provider_of(server_config)
        return prepared if provider is None else replace(prepared, oauth_provider=provider)

    return prepare_headers_and_auth
