"""The reducer ``dispatch``, one key a lead: owns the hand-off."""
