"""What proves the promises: the audit of a log, and chaos. No worker imports it."""
