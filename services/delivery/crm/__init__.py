"""Writes what Baton decided back to a CRM, and never over what a person set there."""
