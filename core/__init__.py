"""The sync-and-outreach engine; knows neither Slack nor SQL."""
