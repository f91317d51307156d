"""The story of a lead: its records found in the log, and each put into a sentence."""
