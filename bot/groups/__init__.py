"""Groups and channels: which messages are meant for the bot, what goes along, who may command."""
