"""Who has a lead now, in words: read off the streams between the services, by the one projection
that custody and the audit read it off (:mod:`baton.contracts.custody`).

It sees what those streams still keep (30 days): of a lead that nothing has moved since then it says
nothing.
"""

from collections.abc import Callable, Iterator

from baton.contracts.codec import codec_for
from baton.contracts.custody import Holder, HolderKind, Holding, holder_of, updated
from baton.contracts.leads import Stage
from baton.contracts.partitioner import partition_of
from baton.contracts.streams import LeadDecision, StreamRecord
from baton.contracts.topic_names import ROUTER_HANDOFFS, SCORER_LEADS, SLA_LEADS
from baton.contracts.topics import TOPICS
from baton.lead_story.stories import Reader

_STREAMS = (SCORER_LEADS, ROUTER_HANDOFFS, SLA_LEADS)


def holding_of(reader: Reader, lead_id: str) -> Holding | None:
    """What the services have said of the lead; None where it was never anybody's work."""
    holding, ever_worked_on = Holding(), False
    for record in _stream_records(reader, lead_id):
        holding = updated(holding, record)
        ever_worked_on = ever_worked_on or _is_work(record)
    return holding if ever_worked_on else None


def _stream_records(reader: Reader, lead_id: str) -> Iterator[StreamRecord]:
    key = lead_id.encode()
    places = {topic: [partition_of(key, reader.partitions(topic))] for topic in _STREAMS}
    records = [record for record in reader.read(places) if record.key == key]
    for record in sorted(
        records, key=lambda earlier: (earlier.at_ms, earlier.topic, earlier.offset)
    ):
        if record.value is not None:
            record_type = TOPICS[record.topic].record
            assert record_type is not None, f"{record.topic} is a stream of records"
            yield codec_for(record_type).decode(record.value)


def _is_work(record: StreamRecord) -> bool:
    return isinstance(record, LeadDecision) and any(
        move.staged.to_stage != Stage.INQUIRY for move in record.moves
    )


def holder_words(holding: Holding, written: Callable[[int], str]) -> str:
    """``now: ae-hugo has it, accepted, since ...``; ``written`` gives a moment in words."""
    return f"now: {_words(holding, holder_of(holding), written)}"


def _words(holding: Holding, holder: Holder, written: Callable[[int], str]) -> str:
    standing = holding.standing
    since = f", since {written(standing.since_ms)}" if standing is not None else ""
    match holder.kind:
        case HolderKind.PERSON:
            state = f", {standing.phase}" if standing is not None else ""
            return f"{holder.who} has it{state}{since}"
        case HolderKind.QUEUE:
            return f"it waits in {holder.who}{since}"
        case HolderKind.NURTURE:
            track = f" in track {holder.who}" if holder.who else ""
            until = f" until {written(holder.next_at_ms)}" if holder.next_at_ms is not None else ""
            return f"it rests{track}{until}"
        case HolderKind.END:
            return f"ended, {holder.who.replace('_', ' ')}"
        case HolderKind.LEAD:
            return "it continues as another lead"
        case HolderKind.NOBODY:
            ended = standing.reason if standing is not None else None
            why = f" (the last hand-off ended: {ended.replace('_', ' ')})" if ended else ""
            return f"nobody has it: {holder.missing.replace('_', ' ')}{why}"
