"""Chaos: real processes, seeded faults, and a checker that holds what was seen against the guarantees."""
