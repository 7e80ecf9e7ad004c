"""What system, chaos, soak and bench share: real processes, a stage for them, and the checker of what happened."""
