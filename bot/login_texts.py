"""What the bot says of logins at servers, in chats and on the page behind a login."""

from collections.abc import Sequence

PRIVATE = "Please send me this in a private chat: it is about your own logins."
NOWHERE = "No server here needs a login of yours."
NONE_WAITS = "I wait for no login of yours."
WAITS = "I wait for you to log in. The page opens in your browser."
NOT_LINKED = "You are logged in nowhere."
UNKNOWN = "This is no login of mine. Please open the link in the chat again."
LATE = "This login took too long. Please ask me once more; I will make a new link."
USED = "This login is over: it was used already, or a newer link was made."
OVER = "What you were to log in for is over. Please ask me once more."
NOT_YOURS = "This login is another person's."
NOT_LOGGED_IN = "You did not log in. You can open the link in the chat again, or press Cancel there."
AWAY = "I cannot do this right now. Please try again in a moment."
CLOSE = "You can close this page and go back to the chat."


THANKS = "Thank you."


def linked(server: str) -> str:
    """The person came back."""
    return f"{THANKS} I have what {server} gave you, and I go on."


def log_in(server: str) -> str:
    """On a button that opens a login page."""
    return f"Log in at {server}"


def confirm(server: str, name: str, person: int) -> str:
    """On the page, before anything is linked."""
    who = f"{name} (Telegram id {person})" if name else f"the Telegram user with the id {person}"
    return f"You are about to let {who} use your account at {server} through this bot."


WARNING = "If that is not you, or you did not ask for it, close this page."
LINK = "That is me: go on"


def linked_at(servers: Sequence[str]) -> str:
    """What /logout answers."""
    return f"You are logged in at {', '.join(servers)}."


def log_out(server: str) -> str:
    """On a button."""
    return f"Log out of {server}"


def not_linked_at(server: str) -> str:
    """/logout of a server without a login."""
    return f"You are not logged in at {server[:64]}."


def logged_out(server: str, *, tells: bool) -> str:
    """After /logout; ``tells``: the server can be told."""
    said = "The server is told so." if tells else "The server cannot be told: if it matters, end the access there, too."
    return f"Logged out of {server}: I have deleted your token. {said}"


def not_told(server: str) -> str:
    """The server did not confirm."""
    return f"{server} did not confirm that your token is void. If it matters, end the access there, too."
