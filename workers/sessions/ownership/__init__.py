"""A session in the hands of one worker: its state, its owner's writes, and how it changes hands."""
