"""Baton as a whole on one machine: broker, topics, agreement and the services as processes;
started, tended, stopped, found again.

It knows the services by name only and talks to them as anybody could: by signals and by HTTP.
"""
