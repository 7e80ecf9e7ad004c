"""Commands that a session's turn loop carries out: answers to controls, /retry and /undo, conversations, titles."""
