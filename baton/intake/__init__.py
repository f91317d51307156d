"""The border for events of the outside: one documented JSON format, read strictly and turned into
one record.

:mod:`~baton.intake.lines` is the format (``schemas/event-line.schema.json`` for other languages),
:mod:`~baton.intake.line_reading` takes bytes and says what is wrong with them,
:mod:`~baton.intake.keyed_records` makes the :class:`~baton.contracts.intake.IntakeRecord`,
:mod:`~baton.intake.identifiers` writes every identifier in its one canonical way.

Nothing here repeats a value in an error, reads a clock, or asks the network.
"""
