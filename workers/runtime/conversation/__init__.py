"""What a model is given to read: messages, files and the history, in frames that cannot be left."""
