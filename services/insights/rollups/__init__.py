"""Counts by day and month that the pages add up, so that no page reads the rows of a year. Pure:
what a row adds to which count; the store keeps them (:mod:`services.insights.projection.counts`)."""
