"""The version as ``baton --version`` prints it."""

from baton import __version__


def version_text() -> str:
    """Baton's version, and whether its compiled modules are there. The codec is imported here:
    other commands that do not need it start without it."""
    from baton.contracts.avro_codec import IS_COMPILED

    return __version__ + (" (compiled)" if IS_COMPILED else "")
