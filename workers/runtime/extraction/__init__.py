"""The words of office files and web pages, taken out of them in a process of its own."""
