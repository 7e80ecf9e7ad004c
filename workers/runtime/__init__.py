"""The only package that knows fast-agent; importing this module loads none of it (``engine`` does, ~3 s)."""
