"""How fast answers grow (pure)."""

from dataclasses import dataclass, field

_SLOWER = (1.0, 1.5, 2.0, 3.0)
"""Times as long between frames of an answer in its first, second, ... message: Telegram limits long ones sooner."""


@dataclass(slots=True)
class Tempo:
    """In seconds. One for each worker, because it counts the answers that grow now."""

    typing: float = 4.5
    """A typing action shows for five (Bot API, sendChatAction)."""
    first_typing: float = 1.0
    """The bot has shown one when it took the message; a quick answer needs no second call."""
    settle: float = 0.3
    """An answer that is complete by then is one message, not a message and its edit."""
    stop: float = 2.0
    """A turn that takes longer has a Stop button. On a quick answer it would only flicker."""
    private: float = 1.0
    group: float = 3.0
    private_tick: float = 5.0
    """The seconds that a step takes are shown again so often: each time is a frame."""
    group_tick: float = 15.0
    frames_a_second: float = 10.0
    """Of this worker, in all chats: a third of what Telegram lets the whole bot send."""
    draft: float = 20.0
    """A draft shows for thirty (Bot API, sendMessageDraft)."""
    growing: int = field(default=0, init=False)

    def interval(self, chat: int, messages: int = 1) -> float:
        """Between two frames in a chat; more while many answers grow, and of an answer of several messages."""
        slower = _SLOWER[min(max(messages, 1), len(_SLOWER)) - 1]
        return max((self.private if chat > 0 else self.group) * slower, self.growing / self.frames_a_second)

    def tick(self, chat: int) -> float:
        """Between two frames that differ in their seconds alone."""
        return self.private_tick if chat > 0 else self.group_tick
