"""Questions of tools to a person: forms, and who asks them."""
