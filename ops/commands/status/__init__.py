"""``cohort status`` and ``cohort health``: read, laid out, printed."""
