"""The reducer ``assignment``, one key a pool: chooses the person for each waiting lead."""
