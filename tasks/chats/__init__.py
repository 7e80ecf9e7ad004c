"""What is known of a chat and its people: access, choices, conversations, questions, logins (values, pure)."""
