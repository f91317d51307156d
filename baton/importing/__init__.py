"""Lists that people bring, as event lines, and event lines on their way into Baton.

:mod:`~baton.importing.list_tables` reads a file (CSV in any dialect, XLSX) as a header and numbered
rows, :mod:`~baton.importing.columns` says which column is what, :mod:`~baton.importing.rows` makes
event lines of a row, :mod:`~baton.importing.sending` sends them and counts what became of each.
What cannot be read for certain is reported with its line; nothing is repaired in silence.
"""
