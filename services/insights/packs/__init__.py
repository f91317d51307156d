"""The weekly pack: the figures of the meeting, frozen as they were known, as text, HTML and CSV, to
be read and to be mailed."""
