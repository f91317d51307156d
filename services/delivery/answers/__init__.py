"""What comes back over HTTP: clicks in Slack, changes in a CRM, open forms."""
