"""One turn on one lane: its run, its time, its answer, and what is left out where the model takes no more."""
