"""Everything that replaces a private part of another library."""
