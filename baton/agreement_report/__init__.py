"""Reports about an agreement: as tables, against its own examples, and what it would change for the
leads there are."""
