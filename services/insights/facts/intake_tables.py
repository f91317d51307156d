"""Tables of what comes in: touches, acts, persons, merges, agreements and what could not be taken.
Pure."""

from services.insights.facts.table import LOG, Table, columns

FACT = Table(
    name="fact",
    says=(
        "the records of a lead as they were published, without the person: what a lead's page and "
        "the derived rows are made from"
    ),
    key=("lead_id", "topic", "fact_id"),
    exported=False,
    columns=columns("""
        lead_id t lead
        topic t topic
        fact_id t id of the fact
        log_ms m when the record was appended, ms
        log_offset i its offset
        value b the record, Avro in Confluent's framing
    """),
)
TOUCH = Table(
    name="touch",
    says="what leads did",
    key=("event_id",),
    indexes=(("lead_id", "occurred_at_ms"), ("occurred_at_ms",)),
    columns=columns("""
        event_id t id of the event
        lead_id t lead
        occurred_at_ms m when it happened, ms
        received_at_ms m when it reached Baton, ms
        source t who sent it
        act t word of the agreement
        campaign t? campaign it belongs to
        content_id t? content
        content_title t? title of the content
        content_stage t? awareness, consideration or decision
        topics t topics, separated by semicolons
        automatic i 1: done by a machine, no touch
        backfill i 1: came with an import
        clamped i 1: its time lay in the future and was set to that of receipt
        log_ms m when the record was appended, ms
    """),
)
RETRACTION = Table(
    name="retraction",
    says="events that never happened",
    key=("event_id",),
    columns=columns("""
        event_id t id of the event taken back
        lead_id t lead
        log_ms m when the record was appended, ms
    """),
)
MEMBERSHIP = Table(
    name="membership",
    says="which account a profile named",
    key=("event_id",),
    indexes=(("lead_id",),),
    columns=columns("""
        event_id t id of the event
        lead_id t lead
        occurred_at_ms m when it was said, ms
        account_id t? domain of the account; nothing: none any more
    """),
)
ACT = Table(
    name="act",
    says="what people of the two teams did with leads",
    key=("event_id",),
    indexes=(("lead_id", "occurred_at_ms"), ("occurred_at_ms",)),
    columns=columns("""
        event_id t id of the event
        lead_id t lead
        kind t accepted, rejected, call ...
        by_person t who did it, an id of the agreement
        actor t role in which it was done
        handoff_id t? hand-off it answers
        occurred_at_ms m when it was done, ms
        received_at_ms m when it reached Baton, ms
        source t who reported it
        reason t? reason, a word of the agreement
        outcome t? what came of a call
        automatic i 1: done by a machine
        opportunity_id t? opportunity
        amount_minor i? amount in minor units
        currency t? currency of the amount
        expected_close t? expected day of closing
        contract_end t? end of the present contract
        meeting_at t? when a booked meeting is to be
        objections t what the buyer held against it, separated by semicolons
        competitor t? whom the buyer compares with, or chose
        content_sent t? id of content that was sent
        content_asked t? id of content that the buyer asked for
        log_ms m when the record was appended, ms
    """),
)
MENTION = Table(
    name="mention",
    says="what acts named: objections, competitors, content that was sent or asked for",
    key=("event_id", "kind", "word"),
    indexes=(("lead_id",),),
    columns=columns("""
        event_id t id of the act
        kind t objection, competitor, sent or asked
        word t what was named
        lead_id t lead
        occurred_at_ms m when the act was done, ms
        log_ms m when the record was appended, ms
    """),
)
MERGE = Table(
    name="merged",
    says="leads that ended in another",
    key=("loser",),
    indexes=(("survivor",),),
    columns=columns("""
        loser t lead that ended
        survivor t lead it ended in
        occurred_at_ms m when, ms
    """),
)
PERSON = Table(
    name="person",
    says="names and addresses; gone with the person",
    key=("lead_id",),
    latest=True,
    exported=False,
    columns=columns(
        """
        lead_id t lead
        event_id t id of the event that reported it last
        occurred_at_ms m when it was said, ms
        first_name t? first name
        last_name t? last name
        company t? company
        email t? address
        phone t? telephone
        """
        + LOG
    ),
)
REFERENCE = Table(
    name="reference",
    says="agreements, signatures and absences as they were published",
    key=("topic", "log_offset"),
    exported=False,
    columns=columns("""
        topic t topic
        log_offset i offset
        log_ms m when the record was appended, ms
        value b the record, Avro in Confluent's framing
    """),
)
DEAD_LETTER = Table(
    name="dead_letter",
    says="what could not be taken: place and reason, never the bytes",
    key=("topic", "partition", "log_offset"),
    indexes=(("log_ms",),),
    columns=columns("""
        topic t topic it came by
        partition i partition
        log_offset i offset
        code t reason, a word
        log_ms m when, ms
    """),
)
