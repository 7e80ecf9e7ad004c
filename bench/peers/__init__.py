"""Other ways to put fast-agent behind Telegram, each as its users write it, on the same stand-ins."""
