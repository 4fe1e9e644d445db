"""The operator's terminal: the same use cases as in Slack, for people and for scripts."""
