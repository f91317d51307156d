"""Reads the YAML file of an agreement: text with line numbers, validation, errors that name the
place."""
