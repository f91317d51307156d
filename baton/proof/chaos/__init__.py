"""The chaos run: a whole Baton under load while processes and brokers are killed, paused and
restarted; then the audit."""
