"""Settings: their fields and forms, read once from the environment and ``.env``."""
