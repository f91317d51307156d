"""The instant answer while a form is open."""
