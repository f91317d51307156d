"""The reducer ``backlog``: releases leads that wait for a new agreement, a few at a time."""
