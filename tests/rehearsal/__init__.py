"""Three machines, played by network namespaces, run what the compose file runs. Needs root: ``make rehearsal``."""
