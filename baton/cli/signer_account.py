"""As whom the way in knows whoever runs a command."""

import getpass
import os
import platform

from baton.settings import Settings


def account_of(settings: Settings) -> str:
    """As whom whoever runs this process is known: the brokers' user where they ask for one, else
    the account on this machine. Nobody proves the latter to the brokers."""
    if settings.sasl_username and settings.security_protocol.startswith("SASL"):
        return f"{settings.sasl_username} at the brokers"
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in a container
        user = f"user {os.getuid()}"
    return f"{user} on {platform.node() or 'this machine'}"
