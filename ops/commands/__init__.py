"""The commands of ``cohort`` but for ``up``."""
