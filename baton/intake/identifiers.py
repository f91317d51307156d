"""One canonical way to write each identifier, so that the same person or company is the same text
wherever it comes from.

Pure and offline: addresses are checked for form only, domains against the public suffix list that
is bundled with tldextract. What cannot be read raises ValueError with a reason that does not repeat
the value. It does not decide who is who.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache

import tldextract
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from baton.contracts.intake import Identifier, IdentifierScheme
from baton.derived_ids import derived_id
from baton.intake.free_mail import FREE_MAIL_DOMAINS, FREE_MAIL_NAMES
from baton.intake.shared_hosts import MAIL_RELAYS, REGISTRIES, SHARED_SITES, SHARED_TENANTS

SALESFORCE = "salesforce"

_LEAD = re.compile(r"[0-9a-f]{32}\Z")
_CRM = re.compile(r"([a-z][a-z0-9_-]{0,31}):([!-~]{1,128})\Z")
_SALESFORCE = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-5]{3})?\Z")
_SUFFIX_CODE = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_HOST = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{0,62}\Z")
_NOT_FOR_IDS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MAX_ID_CHARACTERS = 256
_MAX_ADDRESS, _MAX_LOCAL, _MAX_LABEL = 254, 64, 63

# Invisible characters that a copied address may have around it: blanks, zero-width ones too,
# joiners, and marks of the direction of a text.
_UNSEEN = "".join(
    letter
    for letter in map(chr, (*range(0x3001), 0xFEFF))
    if letter.isspace() or unicodedata.category(letter) == "Cf"
)

# The addresses that nearly everybody has. Two hyphens in a row, and domains that end as a special
# one does, are left to the library.
_PLAIN_ADDRESS = re.compile(
    r"([A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*)@((?:[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\.)+([A-Za-z0-9]+))\Z"
)
_SPECIAL_ENDS = frozenset(name.rpartition(".")[2] for name in SPECIAL_USE_DOMAIN_NAMES)
_suffixes = tldextract.TLDExtract(
    suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True
)


@lru_cache(maxsize=65_536)
def identity_key(identifier: Identifier) -> str:
    """The digest an identity is keyed by: keys of topics carry no address."""
    return derived_id("identity", identifier.scheme, identifier.value)


def canonical(scheme: IdentifierScheme, text: str) -> Identifier:
    """``text`` as an identifier of ``scheme``; raises ValueError with the reason."""
    return Identifier(scheme=scheme.value, value=CANONICAL[scheme](text))


@lru_cache(maxsize=4096)
def email(text: str) -> str:
    """The address in lower case, its domain in Unicode; the form is checked, the mailbox is not."""
    trimmed = text.strip()
    return trimmed.lower() if _is_plain(trimmed) else _checked(trimmed.strip(_UNSEEN))


def _is_plain(address: str) -> bool:
    """Whether the library is certain to take the address as it is, but for its case: it takes ten
    times as long to say so."""
    found = _PLAIN_ADDRESS.match(address)
    if not found or len(address) > _MAX_ADDRESS or len(found[1]) > _MAX_LOCAL:
        return False
    domain = found[2]
    return found[3].lower() not in _SPECIAL_ENDS and (
        len(domain) <= _MAX_LABEL or max(map(len, domain.split("."))) <= _MAX_LABEL
    )


def _checked(text: str) -> str:
    try:
        checked = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except (EmailNotValidError, ValueError, UnicodeError):
        raise ValueError("is not an e-mail address") from None
    address = checked.normalized.lower()
    if (
        "." not in checked.domain
        or len(address) > _MAX_ADDRESS
        or len(checked.local_part) > _MAX_LOCAL
    ):
        raise ValueError("is not an e-mail address")
    return address


def lead_id(text: str) -> str:
    """A lead id of ours: 32 hexadecimal digits."""
    value = text.strip().lower()
    if not _LEAD.match(value):
        raise ValueError("is not a lead id (32 hexadecimal digits)")
    return value


def crm_id(text: str) -> str:
    """``system:id``; a Salesforce id gets its 18 characters, in the right case."""
    found = _CRM.match(text.strip())
    if not found:
        raise ValueError(
            'needs the system before the id, as in "salesforce:00Q5g00000ABCDE" or "hubspot:4711"'
        )
    system, value = found[1], found[2]
    return f"{system}:{salesforce_id(value) if system == SALESFORCE else value}"


def salesforce_id(text: str) -> str:
    """The 18-character form of a Salesforce id.

    The last three characters say which of the first fifteen are upper case, five bits each, the
    lowest bit first. So 15 characters (case-sensitive) give 18, and 18 whose case was lost on the
    way (spreadsheets do that) are put right.
    """
    if not _SALESFORCE.match(text):
        raise ValueError("is not a Salesforce id (15 or 18 letters and digits)")
    body, suffix = text[:15], text[15:].upper()
    if suffix:
        upper = [(_SUFFIX_CODE.index(suffix[place // 5]) >> place % 5) & 1 for place in range(15)]
        if any(bit and not letter.isalpha() for bit, letter in zip(upper, body, strict=True)):
            raise ValueError(
                "is not a Salesforce id (its last three characters do not fit the others)"
            )
        return (
            "".join(
                letter.upper() if bit else letter.lower()
                for bit, letter in zip(upper, body, strict=True)
            )
            + suffix
        )
    groups = (body[start : start + 5] for start in (0, 5, 10))
    return body + "".join(
        _SUFFIX_CODE[sum(letter.isupper() << bit for bit, letter in enumerate(group))]
        for group in groups
    )


def opaque_id(text: str) -> str:
    """An id that only its source understands: trimmed, otherwise as it is."""
    value = text.strip()
    if not value or len(value) > _MAX_ID_CHARACTERS:
        raise ValueError(f"must have 1 to {_MAX_ID_CHARACTERS} characters")
    if _NOT_FOR_IDS.search(value):
        raise ValueError("must not have control characters")
    return value


CANONICAL: Mapping[IdentifierScheme, Callable[[str], str]] = {
    IdentifierScheme.LEAD: lead_id,
    IdentifierScheme.CRM: crm_id,
    IdentifierScheme.EMAIL: email,
    IdentifierScheme.USER: opaque_id,
    IdentifierScheme.ANONYMOUS: opaque_id,
}
"""What puts an identifier of a scheme into its one form; raises ValueError with the reason."""


@lru_cache(maxsize=4096)
def company_domain(text: str) -> str | None:
    """The registered domain in a host name, URL or mail address (``mail.acme.co.uk`` ->
    ``acme.co.uk``), in lower case.

    None where there is none, and for hosts that many share: free mail, relays, and what the public
    suffix list calls private (``acme.myshopify.com``). A social network is no company's website,
    but the company of whoever has a mailbox there.
    """
    trimmed = text.strip().lower()
    is_address = "@" in trimmed and "/" not in trimmed
    host = trimmed.split("://", 1)[-1]
    host = re.split(r"[/?#]", host, maxsplit=1)[0].rpartition("@")[2].partition(":")[0].rstrip(".")
    if len(host) > 253 or not _HOST.match(host) or _is_relay(host):
        return None
    domain = _registered(host)
    if domain is None or domain in SHARED_TENANTS or (domain in SHARED_SITES and not is_address):
        return None
    return (
        None
        if domain in FREE_MAIL_DOMAINS or domain.partition(".")[0] in FREE_MAIL_NAMES
        else domain
    )


def _registered(host: str) -> str | None:
    found = _suffixes(host)
    if not found.suffix:
        # A suffix that is not on the list is one label, as the list's own default rule has it.
        return ".".join(host.split(".")[-2:])
    if found.is_private and found.suffix not in REGISTRIES:
        return None
    return found.top_domain_under_public_suffix or None


def _is_relay(host: str) -> bool:
    labels = host.split(".")
    return any(".".join(labels[start:]) in MAIL_RELAYS for start in range(len(labels) - 1))
