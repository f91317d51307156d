"""What reducers ask of a compiled agreement, section by section."""

from datetime import datetime
from pathlib import Path

import pytest

from baton.agreement.canonical import compiled_of
from baton.agreement.compiled.agreement import (
    CompiledAgreement,
    ConditionContext,
    Target,
    context_of_qualified,
)
from baton.agreement.compiled.consent import ConsentDecision, ConsentRule
from baton.agreement.quantities import DAY_MS
from baton.agreement.source.read import agreement_of, read_agreement
from baton.agreement.wall_time import local_datetime, zone_named
from baton.contracts.accounts import AccountScored
from baton.contracts.intake import Engagement
from baton.contracts.leads import Criterion, EarlierCycle, LeadQualified, Story
from baton.contracts.routing import RoutingStep

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "agreements"
YAML = (EXAMPLES / "software.yaml").read_text(encoding="utf-8")
SOFTWARE = compiled_of(read_agreement(EXAMPLES / "software.yaml"))
SERVICES = compiled_of(read_agreement(EXAMPLES / "services.yaml"))


def changed(old: str, new: str) -> CompiledAgreement:
    assert old in YAML
    return compiled_of(agreement_of(YAML.replace(old, new, 1)))


def at(text: str, zone: str = "Europe/Berlin") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone_named(zone)).timestamp() * 1000)


def local_time(ms: int, zone: str = "Europe/Berlin") -> str:
    return local_datetime(ms, zone_named(zone)).strftime("%Y-%m-%d %H:%M")


# ---------------------------------------------------------------------- fit

PROFILE = {"country": "de", "employees": "250", "role": "Head of IT", "industry": "Logistics"}


def test_fit_names_every_criterion_met_not_met_and_unknown() -> None:
    result = SOFTWARE.fit.evaluate(PROFILE)
    assert result.points_micro == 85_000_000
    assert {
        (criterion.name, criterion.outcome, criterion.points_micro) for criterion in result.criteria
    } == {
        ("Sells where we sell", "met", 20_000_000),
        ("Mid-sized or larger", "met", 25_000_000),
        ("Turnover of ten million or more", "unknown", 0),
        ("Industry we know", "met", 15_000_000),
        ("Can decide", "met", 25_000_000),
        ("Prepares the decision", "not_met", 0),
        ("Company address", "unknown", 0),
        ("Student", "not_met", 0),
    }


@pytest.mark.parametrize(
    ("profile", "points", "clamp"),
    [
        ({"role": "Student"}, 0, 60_000_000),
        (
            {
                **PROFILE,
                "email_kind": "company",
                "revenue_meur": "90",
                "role": "Head, formerly manager",
            },
            100_000_000,
            -15_000_000,
        ),
        ({}, 0, 0),
    ],
)
def test_fit_lies_between_0_and_100_and_says_what_was_cut(
    profile: dict[str, str], points: int, clamp: int
) -> None:
    result = SOFTWARE.fit.evaluate(profile)
    assert (result.points_micro, result.clamp_micro) == (points, clamp)
    assert (
        sum(criterion.points_micro for criterion in result.criteria) + result.clamp_micro
        == result.points_micro
    )


def test_fit_gives_the_same_again_and_for_other_values() -> None:
    first = SOFTWARE.fit.evaluate(PROFILE)
    SOFTWARE.fit.evaluate({**PROFILE, "country": "US", "role": "x" * 5_000})
    assert SOFTWARE.fit.evaluate(dict(PROFILE)) == first
    assert (
        Criterion(name="Sells where we sell", outcome="not_met", points_micro=0)
        in SOFTWARE.fit.evaluate({**PROFILE, "country": "FR"}).criteria
    )


# ---------------------------------------------------------------------- engagement


@pytest.mark.parametrize(
    ("engagement", "name", "points"),
    [
        (Engagement(act="download"), "download", 6),
        (Engagement(act="download", content_stage="awareness"), "download", 6),
        (Engagement(act="download", content_stage="decision"), "download (decision)", 12),
        (Engagement(act="download", content_stage="consideration"), "download (consideration)", 9),
        (
            Engagement(act="webinar", content_stage="decision", topics=("pricing",)),
            "webinar (decision)",
            25,
        ),
        (Engagement(act="demo_request"), "demo_request", 40),
    ],
)
def test_an_act_is_worth_what_its_first_fitting_exception_says(
    engagement: Engagement, name: str, points: int
) -> None:
    rule = SOFTWARE.engagement.rule_for(engagement)
    assert rule is not None
    assert (rule.name, rule.points_micro) == (name, points * 1_000_000)


def test_exceptions_by_topic_share_group_limit_and_fast_track() -> None:
    rule = SERVICES.engagement.rule_for(
        Engagement(act="report_download", topics=("tax", "restructuring"))
    )
    assert rule is not None
    assert (rule.name, rule.points_micro, rule.group, rule.per_day) == (
        "report_download (restructuring)",
        12_000_000,
        "reading",
        2,
    )
    tender = SERVICES.engagement.rule_for(Engagement(act="tender_received"))
    assert tender is not None
    assert (tender.fast_track, tender.max_age_ms) == (True, 14 * DAY_MS)


def test_what_has_no_points_or_was_done_by_a_machine_has_no_rule() -> None:
    assert SOFTWARE.engagement.rule_for(Engagement(act="sneeze")) is None
    assert SOFTWARE.engagement.rule_for(Engagement(act="demo_request", automatic=True)) is None
    counted = changed("  scanner: {acts", "  count_automatic: true\n  scanner: {acts")
    assert counted.engagement.rule_for(Engagement(act="demo_request", automatic=True)) is not None


def test_a_group_says_how_long_it_keeps_an_entry() -> None:
    demo = compiled_of(read_agreement(EXAMPLES / "demo.yaml"))
    assert (
        SOFTWARE.engagement.groups["reading"].keeps_ms,
        demo.engagement.groups["intent"].keeps_ms,
    ) == (
        90 * DAY_MS,
        300 * DAY_MS,
    )


# ---------------------------------------------------------------------- lifecycle, segments, roles


@pytest.mark.parametrize(
    ("bridge", "level", "band", "fast_track", "queue"),
    [
        ("warm leads", "warm", "A", False, "sdr"),
        ("warm leads", "hot", "A", False, "sales"),
        ("warm leads", "warm", "A", True, "sales"),
        ("warm leads", "cold", "C", True, "sales"),
        ("warm leads", "cold", "D", True, "sdr"),
        ("warm leads", "hot", "D", True, "sdr"),
        ("every lead", "hot", "A", False, "sdr"),
        ("every lead", "hot", "A", True, "sdr"),
        ("none", "warm", "A", False, "sales"),
        ("none", "hot", "A", True, "sales"),
        ("none", "hot", "D", True, "sdr"),
    ],
)
def test_who_takes_a_lead_first(
    bridge: str, level: str, band: str, fast_track: bool, queue: str
) -> None:
    agreement = changed("bridge: warm leads", f"bridge: {bridge}")
    assert agreement.levels.queue_for(level, band, fast_track) == queue


class Decided:
    """A lead that did one thing of a stage."""

    def __init__(self, stage: str) -> None:
        self.stage = stage

    def count(self, kind: str, name: str, since_ms: int | None) -> int:
        return int((kind, name) == ("stage", self.stage))


def test_a_gate_that_is_not_known_to_be_open_is_closed_and_says_which_of_the_two_it_is() -> None:
    reach, gate = "Can be reached by e-mail or phone", "Has read or asked something that buyers do"
    closed = SOFTWARE.lifecycle.closed_gates
    assert closed(ConditionContext()) == (f"{reach} (unknown)", f"{gate} (unknown)")
    assert closed(ConditionContext(behaviour=Decided("awareness"), reachable=False)) == (
        reach,
        gate,
    )
    assert closed(ConditionContext(behaviour=Decided("decision"), reachable=True)) == ()


def test_a_fast_track_act_waits_only_at_gates_that_say_so() -> None:
    closed = SOFTWARE.lifecycle.closed_gates
    nothing_read = ConditionContext(behaviour=Decided("awareness"), reachable=True)
    assert closed(nothing_read, fast_track=True) == ()
    assert closed(ConditionContext(reachable=False), fast_track=True) == (
        "Can be reached by e-mail or phone",
    )


@pytest.mark.parametrize(
    ("employees", "segment"),
    [("1000", "enterprise"), ("999", "mid_market"), ("99", "small"), ("a few", None), (None, None)],
)
def test_a_lead_is_in_the_first_segment_that_fits(
    employees: str | None, segment: str | None
) -> None:
    assert SOFTWARE.segment_of({} if employees is None else {"employees": employees}) == segment


def test_roles_have_an_order() -> None:
    assert [SOFTWARE.role_of({"role": role}) for role in ("vp", "Chief of staff", "")] == [
        "VP",
        "Chief of staff",
        None,
    ]
    assert [
        SOFTWARE.seniority(role) for role in ("C-level", "Student", "Chief of staff", None)
    ] == [0, 5, 6, 6]


# ---------------------------------------------------------------------- routing


@pytest.mark.parametrize(
    ("leg", "profile", "segment", "pool", "path"),
    [
        ("sdr", {"country": "AT"}, None, "dach-sdr", ["DACH chosen"]),
        ("sales", {"country": "NO"}, None, "europe-sales", ["DACH no", "Norway chosen"]),
        (
            "sales",
            {"country": "CA"},
            "enterprise",
            "america-sales",
            ["DACH no", "Norway no", "rest of Europe no", "Quebec unknown", "North America chosen"],
        ),
        (
            "sdr",
            {},
            "enterprise",
            "america-sdr",
            [
                "DACH unknown",
                "Norway unknown",
                "rest of Europe unknown",
                "Quebec unknown",
                "North America unknown",
                "large firms elsewhere chosen",
            ],
        ),
        (
            "sdr",
            {"country": "BR"},
            "small",
            "europe-sdr",
            [
                "DACH no",
                "Norway no",
                "rest of Europe no",
                "Quebec no",
                "North America no",
                "large firms elsewhere no",
                "default chosen",
            ],
        ),
    ],
)
def test_the_first_rule_that_fits_chooses_the_pool(
    leg: str, profile: dict[str, str], segment: str | None, pool: str, path: list[str]
) -> None:
    choice = SOFTWARE.routing.choose(ConditionContext(profile=profile, segment=segment, leg=leg))
    assert (choice.pool, [f"{step.rule} {step.outcome}" for step in choice.path]) == (pool, path)


def test_a_rule_without_a_pool_of_the_kind_is_passed_over() -> None:
    choice = SERVICES.routing.choose(
        ConditionContext(profile={"country": "NL", "practices": "technology"}, leg="sales")
    )
    assert choice.path == (
        RoutingStep(rule="Benelux", outcome="no pool of this kind"),
        RoutingStep(rule="Edinburgh, the Borders and Fife", outcome="no"),
        RoutingStep(rule="overseas", outcome="no"),
        RoutingStep(rule="territory book", outcome="no"),
        RoutingStep(rule="technology work", outcome="chosen"),
    )
    assert choice.pool == "technology"


def test_the_chosen_rule_says_which_skills_are_needed() -> None:
    context = ConditionContext(profile={"country": "NO"}, leg="sdr")
    chosen = SOFTWARE.routing.choose(context).rule
    assert SOFTWARE.routing.skills_for(context, chosen, {"norwegian", "german"}).needed == {
        "norwegian"
    }


def test_a_suppressed_lead_has_a_reason_and_the_rules_that_were_looked_at() -> None:
    found = SOFTWARE.routing.suppressed(ConditionContext(profile={"relation": "Employee"}))
    assert (found.reason, [f"{path.rule} {path.outcome}" for path in found.path]) == (
        "employee",
        ["competitors no", "our own people chosen"],
    )
    free = SOFTWARE.routing.suppressed(ConditionContext())
    assert (free.reason, [path.outcome for path in free.path]) == (None, ["unknown"] * 3)


def test_named_accounts_have_an_owner_or_pools() -> None:
    owner, pools = (
        SOFTWARE.routing.named_account(f"{account}.example")
        for account in ("harborlight", "pinewood-group")
    )
    assert (owner and owner.owner, pools and dict(pools.pools)) == (
        "ae-hugo",
        {"sdr": "europe-sdr", "sales": "europe-sales"},
    )
    assert (
        SOFTWARE.routing.named_account("other.example"),
        SOFTWARE.routing.named_account(None),
    ) == (None, None)


def test_routing_knows_of_a_lead_what_was_qualified() -> None:
    story = Story(
        profile={"country": "NO"},
        account_id="a.example",
        source="fair",
        latest_campaign="spring",
        consents={"sales/phone": "granted"},
        earlier_cycles=(
            EarlierCycle(cycle=1, ended_at_ms=1, outcome="recycled", reason="no_budget"),
        ),
    )
    qualified = LeadQualified(
        qualification_id="q",
        lead_id="l",
        cycle=2,
        leg="sdr",
        level="warm",
        grade="A3",
        fit_micro=1,
        engagement_micro=2,
        hand_raised=True,
        cause_id="c",
        qualified_at_ms=3,
        received_at_ms=3,
        segment="small",
        story=story,
        agreement="v",
    )
    account = AccountScored(
        account_id="a.example",
        people=4,
        engaged_people=3,
        engagement_micro=9,
        most_senior_role="VP",
        at_ms=1,
        cause_id="c",
        agreement="v",
    )
    assert context_of_qualified(qualified, now_ms=7, account=account) == ConditionContext(
        now_ms=7,
        profile={"country": "NO"},
        account_id="a.example",
        account_people=4,
        account_engaged_people=3,
        account_engagement_micro=9,
        account_senior_role="VP",
        fit_micro=1,
        engagement_micro=2,
        level="warm",
        grade="A3",
        segment="small",
        source="fair",
        campaign="spring",
        cycle=2,
        stage="mql",
        recycles=1,
        last_reason="no_budget",
        hand_raised=True,
        reachable=False,
        leg="sdr",
        consents={"sales/phone": "granted"},
    )


# ---------------------------------------------------------------------- people and calendars


def test_whose_hours_count() -> None:
    assert [
        SOFTWARE.calendar_for(person="sdr-dag", pool="europe-sdr"),
        SOFTWARE.calendar_for(person="nobody", pool="europe-sdr"),
        SOFTWARE.calendar_for(pool="europe-sdr"),
        SOFTWARE.calendar_for(),
    ] == [SOFTWARE.calendars[city] for city in ("oslo", "london", "london", "berlin")]


def test_a_promise_that_names_its_calendar_takes_no_notice_of_absences() -> None:
    named = changed(
        "{clock: accept, queue: sdr, within: 4 business hours,",
        "{clock: accept, queue: sdr, within: 4 business hours, calendar: new-york,",
    )
    rule = named.slas.target("accept", queue="sdr", level="warm")
    away = ((at("2026-03-02 00:00"), at("2026-03-03 00:00")),)
    assert rule is not None
    assert (
        named.calendar_for(person="sdr-anna", rule=rule, absences=away)
        is named.calendars["new-york"]
    )
    open_rule = SOFTWARE.slas.target("accept", queue="sdr", level="warm")
    mine = SOFTWARE.calendar_for(person="sdr-anna", rule=open_rule, absences=away)
    assert local_time(mine.next_open(at("2026-03-02 10:00"))) == "2026-03-03 09:00"


def test_managers_are_the_persons_else_the_pools() -> None:
    assert [
        SOFTWARE.manager_of(person="sdr-anna", pool="america-sdr"),
        SOFTWARE.manager_of(person="mgr-owen", pool="america-sdr"),
        SOFTWARE.manager_of(),
    ] == ["mgr-ines", "mgr-owen", None]


# ---------------------------------------------------------------------- promises


@pytest.mark.parametrize(
    ("clock", "queue", "level", "segment", "stage", "words", "side"),
    [
        ("accept", "sales", "hot", None, None, "1 business hour", "sales"),
        ("accept", "sales", "warm", None, None, "4 business hours", "sales"),
        ("accept", "sdr", "hot", None, None, "1 business hour", "sales"),
        ("route", "sdr", "warm", None, None, "30 minutes elapsed", "sales_management"),
        ("first_touch", "sdr", "hot", None, None, "2 business hours", "sales"),
        ("first_touch", "sdr", "cold", None, None, "1 working day", "sales"),
        ("nurture_start", None, None, None, None, "2 working days", "marketing"),
        ("return", None, None, None, None, "2 working days", "marketing"),
        ("advance", None, None, None, "sql", "20 working days", "sales"),
    ],
)
def test_the_first_promise_that_holds_counts(
    clock: str,
    queue: str | None,
    level: str | None,
    segment: str | None,
    stage: str | None,
    words: str,
    side: str,
) -> None:
    rule = SOFTWARE.slas.target(clock, queue=queue, level=level, segment=segment, stage=stage)
    assert rule is not None
    assert (rule.target.words, rule.side) == (words, side)


def test_what_was_not_promised_has_no_clock() -> None:
    assert SOFTWARE.slas.target("advance", stage="sal") is None
    assert SERVICES.slas.target(
        "accept", queue="sales", level="warm", segment="groups"
    ) != SERVICES.slas.target("accept", queue="sales", level="warm")


def test_a_ladder_comes_with_its_steps_and_times() -> None:
    rule = SOFTWARE.slas.target("accept", queue="sdr", level="warm")
    assert rule is not None
    assert [
        (step.kind, step.to, step.at_most, step.after and step.after.words, step.reason)
        for step in rule.ladder
    ] == [
        ("notify", "owner", 1, None, None),
        ("reassign", None, 2, None, None),
        ("escalate", "manager", 1, None, None),
        ("manager_queue", None, 1, "4 business hours", None),
    ]
    assert [local_time(step.due_ms(at("2026-03-02 17:00"))) for step in rule.ladder] == [
        "2026-03-02 17:00"
    ] * 3 + ["2026-03-03 12:00"]
    assert (rule.warnings, rule.evidence_grace_ms, rule.own_calendar) == ((80,), 600_000, False)
    assert isinstance(rule.target, Target)


def test_grace_is_the_longest_source_unless_the_promise_says_so() -> None:
    own = changed(
        "{clock: accept, queue: sdr, within: 4 business hours,",
        "{clock: accept, queue: sdr, within: 4 business hours, evidence_grace: 0 minutes,",
    )
    rule = own.slas.target("accept", queue="sdr", level="warm")
    assert rule is not None
    assert (rule.evidence_grace_ms, own.slas.grace_of("hubspot"), own.slas.grace_of("web")) == (
        0,
        300_000,
        0,
    )


# ---------------------------------------------------------------------- recycling


@pytest.mark.parametrize(
    ("why", "reason", "now", "contract_end", "back", "needs"),
    [
        (
            "after so many days, at the opening",
            "no_response",
            "2026-03-02 17:20",
            None,
            "2026-04-01 09:00",
            None,
        ),
        (
            "moved to the next working day",
            "no_response",
            "2026-03-05 10:00",
            None,
            "2026-04-07 09:00",
            None,
        ),
        (
            "before the end of the contract",
            "in_contract",
            "2026-03-02 10:00",
            "2026-12-31",
            "2026-11-02 09:00",
            None,
        ),
        (
            "a day off moves it on",
            "in_contract",
            "2026-03-02 10:00",
            "2027-02-22",
            "2026-12-28 09:00",
            None,
        ),
        (
            "a date that has passed: after the cool-off",
            "in_contract",
            "2026-03-02 10:00",
            "2026-04-01",
            "2026-04-01 11:00",
            None,
        ),
        (
            "an end long ago",
            "in_contract",
            "2026-03-02 10:00",
            "2019-01-01",
            "2026-04-01 11:00",
            None,
        ),
        (
            "not before the cool-off is over",
            "in_contract",
            "2026-03-02 10:00",
            "2026-05-15",
            "2026-04-01 11:00",
            None,
        ),
        (
            "an unknown end has a default and is asked for",
            "in_contract",
            "2026-03-02 10:00",
            None,
            "2026-08-31 09:00",
            "contract_end",
        ),
        (
            "so has one that cannot be read",
            "in_contract",
            "2026-03-02 10:00",
            "soon",
            "2026-08-31 09:00",
            "contract_end",
        ),
        (
            "and one that no contract has",
            "in_contract",
            "2026-03-02 10:00",
            "9999-12-31",
            "2026-08-31 09:00",
            "contract_end",
        ),
        (
            "or had",
            "in_contract",
            "2026-03-02 10:00",
            "0001-01-01",
            "2026-08-31 09:00",
            "contract_end",
        ),
        (
            "a time is cut off the day",
            "in_contract",
            "2026-03-02 10:00",
            "2026-12-31T23:59:00Z",
            "2026-11-02 09:00",
            None,
        ),
        (
            "an unknown reason is the fallback",
            "bored",
            "2026-03-02 10:00",
            None,
            "2026-05-04 09:00",
            None,
        ),
    ],
)
def test_when_a_lead_comes_back(
    why: str, reason: str, now: str, contract_end: str | None, back: str, needs: str | None
) -> None:
    plan = SOFTWARE.recycling.plan(reason, at(now), contract_end=contract_end)
    assert (local_time(plan.return_at_ms), plan.needs) == (back, needs), why
    assert SOFTWARE.recycling.return_at(reason, at(now), contract_end) == plan.return_at_ms
    assert plan.cool_off_until_ms <= plan.return_at_ms


def test_a_return_in_seconds_is_elapsed_to_the_millisecond() -> None:
    demo = compiled_of(read_agreement(EXAMPLES / "demo.yaml"))
    plan = demo.recycling.plan("not_ready", 1_000_001)
    assert (plan.return_at_ms, plan.cool_off_until_ms, plan.track) == (
        1_008_001,
        1_002_001,
        "learn",
    )


def test_beyond_the_limit_a_lead_goes_on_the_long_term_track_and_never_into_silence() -> None:
    now = at("2026-03-02 10:00")
    plans = [SOFTWARE.recycling.plan("no_response", now, recycles=number) for number in (2, 3, 9)]
    assert [(plan.track, plan.long_term, local_time(plan.return_at_ms)) for plan in plans] == [
        ("learn", False, "2026-04-01 09:00"),
        ("stay-in-touch", True, "2027-03-02 09:00"),
        ("stay-in-touch", True, "2027-03-02 09:00"),
    ]


def test_reasons_say_where_they_lead_and_whose_turn_it_was() -> None:
    found = {
        name: (reason.outcome.value, reason.turn_back)
        for name, reason in SOFTWARE.recycling.reasons.items()
    }
    assert found["misrouted"] == ("reassign", True)
    assert found["bad_data"] == ("disqualify", True)
    assert found["not_icp"] == ("disqualify", False)
    assert found["sla_expired"] == ("recycle", False)
    assert (
        SOFTWARE.recycling.reason(None).name
        == SOFTWARE.recycling.reason("never heard of").name
        == "not_ready"
    )


# ---------------------------------------------------------------------- consent


OUT = ConsentRule(
    purpose="sales", channels=("phone", "email"), opt_in=False, hand_raise_allows=True
)
IN = ConsentRule(purpose="marketing", channels=("email",), opt_in=True, hand_raise_allows=False)


@pytest.mark.parametrize(
    ("rule", "consents", "hand_raised", "decision"),
    [
        (OUT, {}, False, (True, "sales not refused")),
        (OUT, {"sales/phone": "refused"}, False, (True, "sales not refused")),
        (
            OUT,
            {"sales/phone": "refused", "sales/email": "refused"},
            False,
            (False, "sales refused"),
        ),
        (OUT, {"sales/any": "refused"}, False, (False, "sales refused")),
        (
            OUT,
            {"sales/any": "refused", "sales/phone": "granted"},
            False,
            (True, "consent for sales"),
        ),
        (OUT, {"sales/any": "refused"}, True, (True, "asked for it")),
        (OUT, {"marketing/any": "refused"}, False, (True, "sales not refused")),
        (IN, {}, False, (False, "no consent for marketing")),
        (IN, {"marketing/email": "granted"}, False, (True, "consent for marketing")),
        (IN, {"marketing/any": "granted"}, False, (True, "consent for marketing")),
        (
            IN,
            {"marketing/any": "granted", "marketing/email": "refused"},
            False,
            (False, "marketing refused"),
        ),
        (IN, {}, True, (False, "no consent for marketing")),
    ],
)
def test_consent_is_by_purpose_and_channel(
    rule: ConsentRule, consents: dict[str, str], hand_raised: bool, decision: tuple[bool, str]
) -> None:
    assert rule.decide(consents, hand_raised=hand_raised) == ConsentDecision(*decision)
