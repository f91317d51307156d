"""Signed webhooks by Standard Webhooks."""
