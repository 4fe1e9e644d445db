"""Text messages: the port, implemented."""
