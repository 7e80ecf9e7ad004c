"""The bot as a process: heartbeat, leadership, pause, watchdog, stop."""
