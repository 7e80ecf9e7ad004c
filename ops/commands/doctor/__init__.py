"""``cohort doctor``: its checks, one file a subject."""
