"""Cards and notices in Slack."""
