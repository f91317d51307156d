"""The reducer ``identify``: resolves identifiers to leads, accepts each event once."""
