"""What belongs to one running turn: its questions, journal, times, answer so far, and what it gives to commit."""
