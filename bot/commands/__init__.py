"""Commands that the bot answers by itself, and the menus that list them."""
