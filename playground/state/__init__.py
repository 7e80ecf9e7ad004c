"""What the playground knows: people, chats, files, updates, and what is done to them."""
