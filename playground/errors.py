"""The playground's refusals: a Bot API error for bots, and one sentence for the control API and the starter."""

from typing import Any


class ApiError(Exception):
    """A Bot API error: HTTP status, description, and the parameters some errors carry."""

    def __init__(
        self, code: int, description: str, *, retry_after: int | None = None, migrate_to: int | None = None
    ) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.retry_after = retry_after
        self.migrate_to = migrate_to

    def body(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        body: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        if self.retry_after is not None:
            body["parameters"] = {"retry_after": self.retry_after}
        if self.migrate_to is not None:
            body["parameters"] = {"migrate_to_chat_id": self.migrate_to}
        return body


class ControlError(Exception):
    """A request to the control API that makes no sense; the message says what to change."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class CannotServe(Exception):  # noqa: N818 - reads as what it is
    """The playground cannot start as it is set up; the message names the variable and what to change."""


def bad_request(text: str) -> ApiError:
    """The usual 400; ``text`` is what follows ``Bad Request: ``."""
    return ApiError(400, f"Bad Request: {text}")


def too_many(retry_after: int) -> ApiError:
    """Flood control: come back after so many seconds."""
    return ApiError(429, f"Too Many Requests: retry after {retry_after}", retry_after=retry_after)
