"""What has begun while a text is read, and waits for its end."""

from dataclasses import dataclass


@dataclass(slots=True)
class Bracket:
    """The bracket of a link or a picture: its piece, and what stood before it."""

    node: int
    at: int
    image: bool
    runs: int
    links: int


@dataclass(slots=True)
class OpenTag:
    """An opening tag: its piece, the kind of its entity, an address."""

    node: int
    kind: str
    address: str
    links: int
