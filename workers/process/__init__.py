"""The worker as an operating system process: Celery, the loop thread, membership, memory, its end."""
