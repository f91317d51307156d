"""The whole system in memory, in fast time."""
