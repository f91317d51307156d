"""Reads the public topics and fills the store."""
