"""What the HTTP servers of bot, workers and console share."""
