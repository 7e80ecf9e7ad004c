"""When reminders are due: recurrence, time zones, and what a due one says (pure)."""
