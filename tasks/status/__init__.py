"""What processes say of themselves: one shape each, for those that write it and all that read it."""
