"""Counts by day and month that the pages add up, so that no page reads the rows of a year: what a
row adds to which count. Pure; :mod:`services.insights.projection.kept_counts` keeps them."""
