"""A raw update, read and understood: no I/O, no clock (pure)."""
