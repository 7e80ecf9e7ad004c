"""Files of an operator's beside the settings: bots, rules of chats, cards; followed while a process runs."""
