"""What is kept of chats and people beside their sessions: admission, logins, time zones, business accounts."""
