"""How long tests wait for what only a crowded machine makes slow."""

BROKER_READY_S = 240.0
"""Each of the two steps of a broker's start; 60 seconds were too few beside other work."""
