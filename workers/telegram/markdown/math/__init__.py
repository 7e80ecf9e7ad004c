"""Formulas as models write them, LaTeX and its packages, as Unicode text (pure)."""
