"""Names of accounts: the registered domains that intake gives to companies. Any other name stands
for no lead."""

import re

from baton.intake.identifiers import company_domain

_DOMAIN = re.compile(r"[^\W_][\w-]*(\.[\w-]+)+")


def fault_of_account(name: str) -> str | None:
    """Why no lead is of the account ``name`` (in small letters), and what to write; None where
    leads can be."""
    if not _DOMAIN.fullmatch(name) or name.startswith("www."):
        return f'"{name}" is no account: write its domain, bigfirm.example'
    registered = company_domain(f"@{name}")
    if registered is None:
        return (
            f'no lead is of account "{name}": it is a host of many companies, or no registered '
            "domain; write a domain of the company's own"
        )
    if registered != name:
        return (
            f'no lead is of account "{name}": an account goes by its registered domain, which its '
            f"hosts share; write {registered}, once"
        )
    return None
