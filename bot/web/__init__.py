"""What Rethread serves over HTTP: Slack's endpoint, the one-time connect page, health and metrics."""
