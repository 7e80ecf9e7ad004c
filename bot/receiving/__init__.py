"""How updates arrive: long polling or a webhook."""
