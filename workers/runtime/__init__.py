"""The only package that knows fast-agent; importing this module does not load it (``engine`` does, ~3 s)."""
