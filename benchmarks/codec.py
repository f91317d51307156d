"""What a record costs to encode and decode, beside fastavro on the same record: microseconds, and
the ratio.

Run: ``.venv/bin/python benchmarks/codec.py``
"""

import timeit
from collections.abc import Callable
from dataclasses import asdict
from io import BytesIO
from typing import Any

from fastavro import parse_schema, schemaless_reader, schemaless_writer

from baton.contracts.avro_schema import avro_schema_of
from baton.contracts.codec import codec_for
from baton.contracts.intake import Engagement, LeadEvent

EVENT = LeadEvent(
    event_id="a" * 32,
    lead_id="b" * 32,
    source="web",
    kind="engagement",
    occurred_at_ms=1_763_787_600_000,
    received_at_ms=1_763_787_600_100,
    engagement=Engagement(
        act="page_view", content_id="c1", content_title="a title", topics=("a", "b"), campaign="q4"
    ),
    profile={"country": "DE"},
)


def microseconds(call: Callable[[], object], number: int) -> float:
    """The best of five, an operation."""
    return min(timeit.repeat(call, number=number, repeat=5)) / number * 1e6


def measured(options: dict[str, Any]) -> dict[str, Any]:
    """Microseconds a record, ours and fastavro's, of so many ``calls`` a run."""
    calls = options["calls"]
    codec, schema = codec_for(LeadEvent), parse_schema(avro_schema_of(LeadEvent))
    encoded, plain = codec.encode(EVENT), asdict(EVENT)
    body = encoded[5:]
    ours = (
        microseconds(lambda: codec.encode(EVENT), calls),
        microseconds(lambda: codec.decode(encoded), calls),
    )
    theirs = (
        microseconds(lambda: schemaless_writer(BytesIO(), schema, plain), calls),
        microseconds(lambda: schemaless_reader(BytesIO(body), schema, None), calls),
    )
    return {
        name: {"compiled_us": mine, "fastavro_us": peer}
        for name, mine, peer in zip(("encode", "decode"), ours, theirs, strict=True)
    }


def main() -> None:
    """Print the table."""
    print(f"{'us a record':<12}{'compiled':>10}{'fastavro':>10}{'ratio':>8}")
    for name, found in measured({"calls": 5_000}).items():
        mine, peer = found["compiled_us"], found["fastavro_us"]
        print(f"{name:<12}{mine:>10.2f}{peer:>10.2f}{peer / mine:>8.1f}")


if __name__ == "__main__":
    main()
