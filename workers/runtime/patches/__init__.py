"""Everything that replaces a private part of another library: ``manifest.toml`` says it, ``patch`` puts it in place."""
