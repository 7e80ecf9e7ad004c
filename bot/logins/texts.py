"""What the bot says of logins at servers, where it is more than one phrase."""

from collections.abc import Sequence

from tasks.phrases import listing, phrase, sentences


def linked(server: str) -> str:
    """The person came back."""
    return sentences(phrase("login-thanks"), phrase("login-goes-on", server=server))


def confirm(server: str, name: str, person: int) -> str:
    """On the page, before anything is linked."""
    ident = str(person)
    who = phrase("login-who", name=name, id=ident) if name else phrase("login-who-unnamed", id=ident)
    return phrase("login-confirm", who=who, server=server)


def linked_at(servers: Sequence[str]) -> str:
    """What /logout answers."""
    return phrase("login-linked-at", servers=listing(servers))


def not_linked_at(server: str) -> str:
    """/logout of a server without a login."""
    return phrase("login-not-linked-at", server=server[:64])


def logged_out(server: str, *, tells: bool) -> str:
    """After /logout; ``tells``: the server can be told."""
    return phrase("login-ended", server=server) if tells else phrase("login-ended-untold", server=server)


def not_told(server: str) -> str:
    """The server did not confirm."""
    return phrase("login-not-told", server=server)
