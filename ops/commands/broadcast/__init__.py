"""``cohort broadcast``: one message to many chats, step by step."""
