"""The Bot API as the playground serves it."""
