"""What a new agreement would change for the leads there are: reported by the scorer's own reducer
on their states."""

from dataclasses import replace
from pathlib import Path

from baton.agreement.canonical import canonical_text, compiled_of, version_of
from baton.agreement.reference import reference_of
from baton.agreement.source.read import agreement_of
from baton.agreement.wall_time import zone_named
from baton.agreement_report.example_events import arrivals_in
from baton.agreement_report.impact import Impact, compare
from baton.agreement_report.lead_states import LeadStates
from baton.simulation.input_lines import Arrival
from baton.simulation.simulation import Simulation

YAML = (Path(__file__).resolve().parents[2] / "examples" / "agreements" / "demo.yaml").read_text(
    encoding="utf-8"
)
OLD = agreement_of(YAML)
LOWER = agreement_of(YAML.replace("3: {enter: 19, exit: 12}", "3: {enter: 10, exit: 8}"))
HIGHER = agreement_of(YAML.replace("3: {enter: 19, exit: 12}", "3: {enter: 25, exit: 22}"))


def states() -> tuple[LeadStates, int]:
    """Three leads: one reads a little (12 points), one was at a webinar (20, an MQL in nobody's
    hands), one is a student."""
    leads = (
        ({"country": "DE", "employees": "400", "role": "VP"}, ("form",)),
        ({"country": "US", "employees": "150", "role": "Manager"}, ("webinar",)),
        ({"country": "GB", "role": "Student"}, ("form",)),
    )
    text = canonical_text(OLD)
    arrivals: list[Arrival] = []
    for number, (profile, acts) in enumerate(leads):
        example = OLD.examples[0].model_copy(
            update={
                "profile": profile,
                "account": f"firm-{number}.example",
                "events": tuple(
                    OLD.examples[0].events[0].model_copy(update={"act": act}) for act in acts
                ),
            }
        )
        arrivals += [
            replace(arrival, line=arrival.line.replace(b"example-", f"{number}-".encode()))
            for arrival in arrivals_in(example, zone_named("UTC"))
        ]
    arrivals.sort(key=lambda arrival: arrival.at_ms)
    simulation = Simulation(text=text, version=version_of(text), start_ms=arrivals[0].at_ms - 1_000)
    list(simulation.run(arrivals))
    found = LeadStates()
    found.restore(
        (record.key, record.value)
        for record in simulation.host.log.records(found.topic, 0)
        if record.key is not None
    )
    return found, arrivals[-1].at_ms + 1_000


def test_a_lower_threshold_says_who_would_qualify_in_which_pool_and_whose_load_that_is() -> None:
    leads, now = states()
    assert compare(leads, reference_of(compiled_of(OLD)), LOWER, now_ms=now) == Impact(
        old=version_of(canonical_text(OLD)),
        new=version_of(canonical_text(LOWER)),
        leads=3,
        qualify=1,
        withdrawn=0,
        levels={"cold -> warm": 1},
        by_pool={"sdr": 1},
        by_person={"sdr-anna": 0.5, "sdr-ben": 0.2, "sdr-cleo": 0.2},
        drip_days=1,
    )


def test_whose_account_it_is_gets_the_load_and_who_is_suppressed_is_nobodys() -> None:
    leads, now = states()
    text = YAML.replace("3: {enter: 19, exit: 12}", "3: {enter: 10, exit: 8}")
    owned = agreement_of(
        text.replace(
            "  default: {sdr: sdr,",
            "  accounts: {firm-0.example: {owner: sdr-ben}}\n  default: {sdr: sdr,",
        )
    )
    found = compare(leads, reference_of(compiled_of(OLD)), owned, now_ms=now)
    assert (found.qualify, found.suppressed, found.by_pool, found.by_person) == (
        1,
        0,
        {"sdr": 1},
        {"sdr-ben": 1.0},
    )
    suppressing = agreement_of(
        text.replace(
            "profile.relation, op: is, value: competitor", "profile.role, op: is, value: VP"
        )
    )
    found = compare(leads, reference_of(compiled_of(OLD)), suppressing, now_ms=now)
    assert (found.qualify, found.suppressed, found.by_pool, found.by_person) == (1, 1, {}, {})


def test_a_higher_threshold_says_who_would_be_withdrawn() -> None:
    leads, now = states()
    found = compare(leads, reference_of(compiled_of(OLD)), HIGHER, now_ms=now)
    assert (found.qualify, found.withdrawn, found.levels) == (0, 1, {"warm -> cold": 1})


def test_the_same_agreement_changes_nothing_and_asking_changes_nothing() -> None:
    leads, now = states()
    same = compare(leads, reference_of(compiled_of(OLD)), OLD, now_ms=now)
    assert (same.qualify, same.withdrawn, same.levels, same.by_pool) == (0, 0, {}, {})
    assert compare(leads, reference_of(compiled_of(OLD)), OLD, now_ms=now) == same
