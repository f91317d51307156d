"""``digests``: one record a pool, person and period, in place of one an escalation."""
