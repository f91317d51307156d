"""The tables of the store, as SQL. Pure."""

from __future__ import annotations

from typing import Final

VERSION: Final = 1
"""Raised when a table changes in a way that an older file does not have."""

TABLES: Final = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    # how far each partition has been read
    """CREATE TABLE position (
        topic TEXT NOT NULL, partition INTEGER NOT NULL, next_offset INTEGER NOT NULL,
        PRIMARY KEY (topic, partition)) STRICT, WITHOUT ROWID""",
    # since_ms: facts appended before are not delivered to it
    """CREATE TABLE target (
        name TEXT PRIMARY KEY, kind TEXT NOT NULL, since_ms INTEGER NOT NULL,
        paused INTEGER NOT NULL DEFAULT 0, disabled TEXT, failures INTEGER NOT NULL DEFAULT 0,
        failing_since_ms INTEGER, not_before_ms INTEGER NOT NULL DEFAULT 0, last_ok_ms INTEGER,
        last_outcome TEXT) STRICT, WITHOUT ROWID""",
    """CREATE TABLE delivery (
        seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, target TEXT NOT NULL, kind TEXT NOT NULL,
        topic TEXT NOT NULL, fact_id TEXT NOT NULL, lead_id TEXT, order_key TEXT, payload TEXT,
        personal INTEGER NOT NULL, state TEXT NOT NULL, created_ms INTEGER NOT NULL,
        next_at_ms INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, begun_ms INTEGER,
        done_ms INTEGER, outcome TEXT, resent INTEGER NOT NULL DEFAULT 0) STRICT""",
    "CREATE INDEX delivery_due ON delivery (target, next_at_ms) WHERE state = 'waiting'",
    """CREATE INDEX delivery_order ON delivery (target, order_key, seq)
        WHERE state = 'waiting' AND order_key IS NOT NULL""",
    "CREATE INDEX delivery_lead ON delivery (lead_id)",
    "CREATE INDEX delivery_done ON delivery (done_ms) WHERE done_ms IS NOT NULL",
    # what is known of a lead; person: what of them is direct, until they are forgotten
    """CREATE TABLE lead (
        lead_id TEXT PRIMARY KEY, person TEXT, email_digest TEXT, account_id TEXT, stage TEXT,
        stage_at INTEGER, level TEXT, fit_micro INTEGER, engagement_micro INTEGER, grade TEXT,
        scored_at INTEGER, next_date_ms INTEGER, next_at INTEGER, track TEXT, survivor TEXT,
        forgotten INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID""",
    "CREATE INDEX lead_email ON lead (email_digest) WHERE email_digest IS NOT NULL",
    "CREATE INDEX lead_account ON lead (account_id) WHERE account_id IS NOT NULL",
    """CREATE TABLE handoff (
        handoff_id TEXT PRIMARY KEY, lead_id TEXT NOT NULL, qualification_id TEXT NOT NULL,
        attempt INTEGER NOT NULL, leg TEXT, pool TEXT, owner TEXT, routed_ms INTEGER,
        accept_by_ms INTEGER, brief TEXT, accepted_ms INTEGER, accepted_by TEXT, ended_ms INTEGER,
        ended_by TEXT, end_event TEXT, end_reason TEXT, reinstated_ms INTEGER)
        STRICT, WITHOUT ROWID""",
    "CREATE INDEX handoff_lead ON handoff (lead_id, attempt)",
    "CREATE INDEX handoff_owner ON handoff (owner) WHERE ended_ms IS NULL",
    """CREATE TABLE reference (
        topic TEXT NOT NULL, log_offset INTEGER NOT NULL, log_ms INTEGER NOT NULL,
        value BLOB NOT NULL, PRIMARY KEY (topic, log_offset)) STRICT, WITHOUT ROWID""",
    # a card in Slack: where it is and what it shows
    """CREATE TABLE card (
        target TEXT NOT NULL, handoff_id TEXT NOT NULL, channel TEXT NOT NULL, ts TEXT NOT NULL,
        shown TEXT NOT NULL, PRIMARY KEY (target, handoff_id)) STRICT, WITHOUT ROWID""",
    # what was written to a CRM last, by digest; pending: a write whose outcome is not known
    """CREATE TABLE own_write (
        target TEXT NOT NULL, lead_id TEXT NOT NULL, property TEXT NOT NULL, object_id TEXT,
        digest TEXT, pending TEXT, at_ms INTEGER NOT NULL,
        PRIMARY KEY (target, lead_id, property)) STRICT, WITHOUT ROWID""",
    "CREATE INDEX own_write_object ON own_write (target, object_id, property)",
    """CREATE TABLE token (target TEXT PRIMARY KEY, sealed BLOB NOT NULL, at_ms INTEGER NOT NULL)
        STRICT, WITHOUT ROWID""",
    # the person a buyer was promised, by the digest of their address
    """CREATE TABLE promise (
        buyer TEXT PRIMARY KEY, person TEXT NOT NULL, pool TEXT NOT NULL, until_ms INTEGER NOT NULL,
        claimed_ms INTEGER, slot TEXT) STRICT, WITHOUT ROWID""",
)

ADDED: Final = (
    # times that buyers have, by person; buyer: digest of an address, empty once it is forgotten
    """CREATE TABLE IF NOT EXISTS booking (
        person TEXT NOT NULL, from_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,
        buyer TEXT NOT NULL, PRIMARY KEY (person, from_ms)) STRICT, WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS booking_buyer ON booking (buyer)",
)
"""Tables that an older file of this version may not have yet: they are added when it is opened."""
