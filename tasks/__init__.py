"""What bot and workers agree on: names, envelopes, slots, keys, and the store behind typed verbs."""
