"""Who may talk to the bot: the rule stands in ``tasks.access``, as workers ask it too."""

from tasks.access import Access, Decision, access_of

__all__ = ["Access", "Decision", "access_of"]
