"""The sources that the gateway takes from. A new source is a file beside this one and a line
here."""

from __future__ import annotations

from services.ingest.gateway.adapters.cloudevents import EventLines
from services.ingest.gateway.adapters.protocol import Adapter
from services.ingest.gateway.adapters.segment import Segment

ADAPTERS: tuple[Adapter, ...] = (Segment(), EventLines())
