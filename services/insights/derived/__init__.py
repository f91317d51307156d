"""Rows that are a function of the rows of facts: leads as they stand, deals won and what touches
are credited with. Pure."""
