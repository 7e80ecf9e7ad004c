"""Markdown as models write it, as text and Telegram's entities (pure)."""
