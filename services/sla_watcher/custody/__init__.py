"""The reducer ``custody``, one key a lead: watches that somebody holds every qualified lead."""
