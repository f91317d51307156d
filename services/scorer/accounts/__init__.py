"""The reducer ``accounts``, one key an account: the score of a buying group."""
