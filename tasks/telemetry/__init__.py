"""Logs, metrics and traces: what a running process tells of itself."""
