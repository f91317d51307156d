"""The reducer ``goals``, one key a goal and period: counts progress."""
