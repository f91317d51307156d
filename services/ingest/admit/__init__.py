"""The reducer ``admit``: takes the event lines of the inbox topic."""
