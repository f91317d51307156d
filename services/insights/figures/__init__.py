"""Every figure of the board as a pure function of plain values: what docs/BOARD.md defines, and
nothing else.

No clock, no store, no Kafka. Times are integers of milliseconds since the epoch (``..._ms``), money
is in minor units (``..._minor``).
"""
