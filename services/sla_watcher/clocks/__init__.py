"""The reducer ``clocks``, one key a lead: starts, stops and breaks the clocks of the SLAs."""
