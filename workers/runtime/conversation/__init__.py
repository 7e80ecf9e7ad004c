"""What a model is given to read: messages, files and the history, in tags that cannot be left."""
