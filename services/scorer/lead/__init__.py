"""The reducer ``lead``, one key a lead: score, level, stage, qualification, merge."""
