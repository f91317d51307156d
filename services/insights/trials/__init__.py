"""Agreements that were tried before they are signed: backtests, challengers, calibrations, as they
were made."""
