"""``cohort backup``, ``restore`` and ``move``."""
