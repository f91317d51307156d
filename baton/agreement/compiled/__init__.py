"""The compiled agreement, one module a section: frozen values and pure functions, made once a
version."""
