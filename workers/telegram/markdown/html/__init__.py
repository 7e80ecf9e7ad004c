"""HTML that models write within Markdown: what of it is formatting, a list or a table (pure)."""
