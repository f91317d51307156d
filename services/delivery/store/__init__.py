"""The SQLite file: outbox, positions, and the view of leads."""
