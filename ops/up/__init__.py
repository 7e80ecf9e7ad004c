"""``cohort up``: the processes of one machine, started, kept alive and ended in order."""
