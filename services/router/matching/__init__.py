"""The reducer ``matching``, one key an account: chooses the pool."""
