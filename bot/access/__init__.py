"""Who is answered, as this process knows it: people, rates, business accounts, chats that are closed."""
