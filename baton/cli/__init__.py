"""The command line, one file per command group. It may use everything; nothing uses it."""
