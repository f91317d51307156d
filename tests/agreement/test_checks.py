"""Every class of mistake in an agreement: reported with its line, its reason and the way out, all at
once.

Each row plants one mistake in an agreement without any; the whole list of problems is compared, so
nothing else may be said.
"""

from pathlib import Path

import pytest

from baton.agreement.canonical import model_of
from baton.agreement.checks.context import CheckContext
from baton.agreement.checks.slas import check
from baton.agreement.problems import Severity, did_you_mean
from baton.agreement.source.read import AgreementRefused, agreement_of, examine, read_agreement
from baton.agreement.source.yaml import read_yaml

FILE = Path(__file__).resolve().parents[2] / "examples" / "agreements" / "software.yaml"
SOUND = FILE.read_text(encoding="utf-8")

DELETE = ""


def planted(old: str, new: str, text: str = SOUND) -> str:
    assert text.count(old) >= 1, old
    return text.replace(old, new, 1)


def reported(text: str) -> list[str]:
    """``line: severity: message`` of everything that is said."""
    problems = examine(text).problems
    return [
        f"{problem.line}: {'' if problem.severity is Severity.ERROR else 'warning: '}{problem.message}"
        for problem in problems
    ]


def line_of(text: str, marker: str) -> int:
    return text[: text.index(marker)].count("\n") + 1


def test_the_examples_have_no_problems() -> None:
    assert reported(SOUND) == []


SHAPE = [
    # unknown keys and types
    ("calendar: berlin   ", "calender: berlin   ", "calender:", 'unknown key "calender" in the agreement; did you mean "calendar"?'),
    ("name: Larkspur", "nmae: x\nname: Larkspur", "nmae:", 'unknown key "nmae" in the agreement; did you mean "name"?'),
    ("{points: 1, group: reading, per_day: 5}", "{points: 1, group: reading, perday: 5}", "perday:", 'unknown key "perday" in engagement.acts.page_view; did you mean "per_day"?'),
    ("{name: Anna (SDR), calendar", "{name: Anna, SDR, calendar", "{name: Anna, SDR", 'unknown key "SDR" in people.sdr-anna; there is active, calendar, capacity, deputy, manager, name, offers, per_day ... (a comma inside braces begins a new key: put text that has one into quotes)'),
    ("agreement: 1", "agreement: 2", "agreement: 2", "agreement: 2 is not one of 1"),
    ("    dwell: 1 day ", "    dwell: 1 ", "dwell: 1 ", 'definitions.levels.dwell: 1 has no unit: write a duration such as "14 days", "8 hours" or "30 minutes"'),
    ("    dwell: 1 day ", "    dwell: 1 month ", "dwell: 1 month", 'definitions.levels.dwell: "month" is not a unit of time: use weeks, days, hours, minutes or seconds'),
    ("{points: 40, group: intent, fast_track: true, max_age: 7 days}\n    pricing", "{points: forty, group: intent, fast_track: true}\n    pricing", "points: forty", 'engagement.acts.demo_request.points: "forty" is not a number of points: write a plain number such as 15 or -20'),
    ("points: -60", "points: -060", "points: -060", 'fit.Student.points: "-060" is not a number of points: write a plain number such as 15 or -20'),
    ("points: -60", "points: 0.1234567", "points: 0.12", "fit.Student.points: 0.1234567 has more than six decimals: points are counted in millionths"),
    ("points: -60", "points: -60000", "points: -600", "fit.Student.points: -60000 points is too much: from -10000 to 10000"),
    ("fast_track: true, max_age: 7 days}\n    pricing", "fast_track: yes, max_age: 7 days}\n    pricing", "fast_track: yes", 'engagement.acts.demo_request.fast_track: "yes" is text: write true or false'),
    ("country: text ", "country: txt ", "country: txt", 'definitions.profile.country: "txt" cannot stand here; did you mean "text"?'),
    ("bridge: warm leads", "bridge: some", "bridge: some", 'lifecycle.bridge: "some" is not one of every lead, warm leads, none'),
    ("C: {1: warm, 2: warm,", "C: {1: wram, 2: warm,", "C: {1: wram", 'definitions.levels.matrix.C.1: "wram" cannot stand here; did you mean "warm"?'),
    ("kind: sdr\n    calendar: berlin", "kind: 7\n    calendar: berlin", "kind: 7", "pools.dach-sdr.kind: 7 is not one of sdr, sales"),
    ("weight: 2,", "weight: -1,", "weight: -1", "pools.dach-sdr.members.sdr-anna.weight: -1 is no weight: write a number from 0 (gets nothing in turn) to 1000, such as 1 or 0.5"),
    ("weight: 2,", "weight: 1.505,", "weight: 1.505", "pools.dach-sdr.members.sdr-anna.weight: 1.505 has too many decimals for a weight: two at most"),
    ("topics: [integration, security]", "topics: integration", "topics: integration", 'recycling.tracks.learn.topics: "integration" stands where a list: [one, two] is expected'),
    ("product: text\n", "product: text\n    08: text\n", "08: text", None),
    ("product: text\n", "product: text\n    a b: text\n", "a b: text", '"a b" cannot be a name: use letters, digits, dot, dash and underscore, at most 64'),
    ("role: [", "role: [", "", None),
    ("limit: 3\n", "limit: three\n", "limit: three", 'recycling.limit: "three" stands where a whole number is expected'),
    ("holidays: [NO]", "holidays: [Norway]", "holidays: [Norway]", 'calendars.oslo.holidays[1]: "Norway" cannot stand here: places are written as DE, DE-BE or US-NY'),
    ("holidays: [NO]", "holidays: [false]", "holidays: [false]", "calendars.oslo.holidays[1]: false stands where text is expected"),
    ("email_kind, op: is, value: company}", "email_kind, op: is, valeu: company}", "valeu", 'unknown key "valeu" in fit.Company address.when; did you mean "value"?'),
    ("op: contains, value: student", "op: contians, value: student", "contians", 'fit.Student.when.op: "contians" cannot stand here; did you mean "contains"?'),
    ("when: {field: profile.role, op: contains, value: student}", "when: profile.role", "when: profile.role", "fit.Student.when: a condition is {all: [...]}, {any: [...]}, {not: ...} or {field: ..., op: ..., value: ...}"),
    ("nobody: {overflow: dach-sdr}", "nobody: wait", "nobody: wait", "pools.europe-sdr.nobody: when nobody is eligible, write hold, {overflow: another-pool} or {watch: a-person}"),
    ("to: {sdr: dach-sdr, sales: dach-sales}", "to: {}", "to: {}", "routing.territories[1].to: names no pool: write {sdr: a-pool, sales: another-pool}, or one of the two"),
    ("{owner: ae-hugo}", "{}", "harborlight.example: {}", "routing.accounts.harborlight.example: a named account has an owner (a person) or pools (to), one of the two"),
    # amounts of time
    ("within: 30 minutes elapsed", "within: 30 minutes", "within: 30 minutes,", 'slas.promises[1].within: "30 minutes" does not say whether closed hours count: write "30 business minutes" or "30 minutes elapsed"'),
    ("stage: sql, within: 20 working days", "stage: sql, within: 20 business days", "within: 20 business days", 'slas.promises[12].within: "20 business days" can be taken two ways: write "20 working days", or the hours as "8 business hours"'),
    ("warn: [50%, 80%], use_ladder: quick}\n    - {clock: accept, queue: sales, within", "warn: [80%, 50%], use_ladder: quick}\n    - {clock: accept, queue: sales, within", "warn: [80%, 50%]", "slas.promises[2]: warnings come in ascending order, each once"),
    ("warn: [50%], ladder", "warn: [0.5], ladder", "warn: [0.5]", 'slas.promises[1].warn[1]: 0.5 is not a share: write "50%", from 1% to 99%'),
    ("use_ladder: quick}\n    - {clock: first_touch, within", "use_ladder: quick, ladder: [{do: escalate}]}\n    - {clock: first_touch, within", "ladder: [{do: escalate}]", "slas.promises[7]: has a ladder of its own and use_ladder: keep one of the two"),
    ("comes_back: after 45 days", "comes_back: 45 days", "comes_back: 45 days", 'recycling.reasons.no_authority.comes_back: "45 days" is not a return date: write "after 90 days" or "contract_end - 60 days"'),
    (", if_unknown: 180 days", "", "in_contract: {", "recycling.reasons.in_contract: comes back by the end of a contract that may not be known: add if_unknown: 180 days"),
    ("comes_back: after 45 days", "comes_back: after 45 days, if_unknown: 9 days", "after 45 days, if", "recycling.reasons.no_authority: if_unknown is for reasons that come back by contract_end"),
    ("no_budget: {outcome: recycle, track: learn, comes_back: after 180 days, cool_off: 30 days}", "no_budget: {outcome: recycle}", "no_budget: {", 'recycling.reasons.no_budget: a recycled lead needs a track and a date: write track: ... and comes_back: "after 90 days"'),
    ("student: {outcome: disqualify}", "student: {outcome: disqualify, track: learn}", "student: {outcome", "recycling.reasons.student: disqualify knows no track, cool_off or way back: leave them out, or recycle"),
    ("intent: {half_life: 30 days, window: 180 days}", "intent: {cap: 200}", "intent: {cap", "engagement.groups.intent: a group needs a half_life or a window, or its ledger grows for ever"),
    ("cap: 30,", "cap: -30,", "reading: {half_life", "engagement.groups.reading: a cap of no points would make every act worth nothing: leave cap out for none"),
    ("intent: {half_life: 30 days, window: 180 days}", "intent: {half_life: 0 days}", "intent: {half_life: 0", "engagement.groups.intent: a half_life or window of no time would make every act worth nothing"),
    ("- {stage: decision, points: 12}", "- {points: 12}", "- {points: 12}", "engagement.acts.download.exceptions[1]: an exception names a stage or topics, otherwise it is no exception"),
    # calendars
    ("hours: {mon-fri: 09:00-17:30}", "hours: {mon-fri: 9-17}", "mon-fri: 9-17", 'calendars.london.hours: "9-17" are no hours: write "09:00-17:00" with two digits each, or "closed"'),
    ("hours: {mon-fri: 09:00-17:30}", "hours: {mon-fri: 17:30-17:30}", "17:30-17:30", 'calendars.london.hours: "17:30-17:30" are no hours of a day: write "09:00-17:00", or "22:00-06:00" over midnight'),
    ("hours: {mon-fri: 09:00-17:30}", 'hours: {mon-fri: "04:00-08:00, 22:00-06:00"}', '"04:00-08:00, 22:00-06:00"', 'calendars.london.hours: "22:00-06:00" runs into the same hours of the next day: let it end earlier'),
    ("hours: {mon-fri: 09:00-17:30}", 'hours: {mon-fri: "09:00-12:00, 11:00-17:30"}', "11:00-17:30", 'calendars.london.hours: "11:00-17:30" overlaps the hours before it: write them in order of the day'),
    ("hours: {mon-fri: 09:00-17:30}", "hours: {mon-fry: 09:00-17:30}", "mon-fry", 'calendars.london.hours: "mon-fry" is not a day or a range of days: write mon, mon-fri or "sat, sun"'),
    ("hours: {mon-fri: 09:00-17:30}", "hours: {fri-mon: 09:00-17:30}", "fri-mon", 'calendars.london.hours: "fri-mon" runs backwards: weeks begin with mon here'),
    ("hours: {mon-fri: 09:00-17:30}", "hours: {mon-fri: 09:00-17:30, fri: 09:00-12:00}", "fri: 09:00-12:00", 'calendars.london.hours: "fri" gives hours to fri a second time'),
    ("timezone: Europe/Oslo", "timezone: Europe/Olso", "Europe/Olso", 'calendars.oslo.timezone: "Europe/Olso" is not a time zone; zones are named like "Europe/Berlin" or "America/New_York"'),
    ("closed: [2026-12-24,", "closed: [24.12.2026,", "24.12.2026", 'calendars.berlin.closed[1]: "24.12.2026" is not a day: write it as 2026-12-24'),
    ("closed: [2026-12-24,", "closed: [2026-02-30,", "2026-02-30", 'calendars.berlin.closed[1]: "2026-02-30" is not a day: write it as 2026-12-24'),
    # goals
    (", quota: 900000, currency: EUR", ", currency: EUR", "coverage: {side", "goals.coverage: a quota belongs to coverage, and coverage needs one"),
    (", quota: 900000, currency: EUR", ", quota: 900000", "coverage: {side", "goals.coverage: coverage is about money: add currency: EUR"),
    ("currency: EUR", "currency: euro", "currency: euro", 'goals.coverage.currency: "euro" cannot stand here: currencies are written as three letters, such as EUR'),
    ("{at: 2026-03-07 15:00,", "{at: Saturday,", "at: Saturday", 'examples[2].events[1].at: "Saturday" is not a moment: write it as 2026-03-02 14:30 (in the agreement\'s time zone)'),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "marker", "message"), [row for row in SHAPE if row[3]])
def test_a_wrong_shape(old: str, new: str, marker: str, message: str) -> None:
    text = planted(old, new)
    found = reported(text)
    assert f"{line_of(text, marker)}: {message}" in found
    assert len(found) == 1 or message.startswith("unknown key") or "cannot be a name" in message, (
        found
    )


MEANING = [
    ("deputy: ae-kim", "deputy: ae-kin", "deputy: ae-kin", 'person "ae-kin" is not defined; did you mean "ae-kim"?'),
    ("deputy: ae-kim", "deputy: ae-lou", "deputy: ae-lou}\n  mgr-ines", '"ae-lou" cannot be their own deputy'),
    ("deputy: ae-kim", "deputy: sdr-finn", "deputy: sdr-finn", '"sdr-finn" cannot take over from "ae-lou": they are in no pool of kind sales'),
    ("segments: {enterprise: mkt-noor}", "segments: {enterprice: mkt-noor}", "enterprice", 'segment "enterprice" is not defined; did you mean "enterprise"?'),
    ("default: mkt-mia}", "default: mkt-mio}", "default: mkt-mio}", 'person "mkt-mio" is not defined; did you mean "mkt-mia"?'),
    ("{segments: {enterprise: mkt-noor}", "{campaigns: {spring: nobody}, segments: {enterprise: mkt-noor}", "spring", 'person "nobody" is not defined'),
    # names that lead nowhere
    ("calendar: berlin   ", "calendar: berln    ", "calendar: berln", 'calendar "berln" is not defined; did you mean "berlin"?'),
    ("sdr-dag: {name: Dag (SDR), calendar: oslo,", "sdr-dag: {name: Dag (SDR), calendar: olso,", "calendar: olso", 'calendar "olso" is not defined; did you mean "oslo"?'),
    ("    calendar: london\n    manager: mgr-ines\n    nobody: {overflow: dach-sdr}", "    calendar: lndon\n    manager: mgr-ines\n    nobody: {overflow: dach-sdr}", "calendar: lndon", 'calendar "lndon" is not defined; did you mean "london"?'),
    ("qualify, queue: sdr, within: 5 working days,", "qualify, queue: sdr, within: 5 working days, calendar: x,", "calendar: x", 'calendar "x" is not defined; there is berlin, london, new-york, oslo'),
    ("won: {side: sales, metric: won, target: 8,", "won: {side: sales, metric: won, target: 8, calendar: x,", "calendar: x", 'calendar "x" is not defined; there is berlin, london, new-york, oslo'),
    ("skills: [english, french], manager: mgr-owen}\n  sdr-finn", "skills: [english, french], manager: mgr-own}\n  sdr-finn", "mgr-own}", 'person "mgr-own" is not defined; did you mean "mgr-owen"?'),
    ("skills: [english, french], manager: mgr-owen}\n  sdr-finn", "skills: [english, french], manager: sdr-erin}\n  sdr-finn", "manager: sdr-erin", '"sdr-erin" cannot be their own manager'),
    ("    manager: mgr-ines\n    nobody: hold", "    manager: mgr-inez\n    nobody: hold", "mgr-inez", 'person "mgr-inez" is not defined; did you mean "mgr-ines"?'),
    ("      sdr-ben: {weight: 1,", "      sdr-bem: {weight: 1,", "sdr-bem:", 'person "sdr-bem" is not defined; did you mean "sdr-ben"?'),
    ("nobody: {overflow: dach-sdr}", "nobody: {watch: nobody}", "watch: nobody", 'person "nobody" is not defined; there is ae-greta, ae-hugo, ae-iris, ae-jon, ae-kim, ae-lou, mgr-ines, mgr-owen ...'),
    ("nobody: {overflow: dach-sdr}", "nobody: {overflow: dach_sdr}", "overflow: dach_sdr", 'pool "dach_sdr" is not defined; did you mean "dach-sdr"?'),
    ("email_click: {points: 2, group: mailing, per_day: 2}", "email_click: {points: 2, group: mail, per_day: 2}", "group: mail,", 'group "mail" is not defined; did you mean "mailing"?'),
    ("    form: {points: 10,", "    from: {points: 10,", "from: {points", 'act "from" is not defined; did you mean "form"?'),
    ("- {stage: decision, points: 12}", "- {topics: [prices], points: 12}", "prices]", 'topic "prices" is not defined; did you mean "pricing"?'),
    ("scanner: {acts: [email_click]", "scanner: {acts: [email_klick]", "email_klick", 'act "email_klick" is not defined; did you mean "email_click"?'),
    ("role_field: role", "role_field: rolle", "role_field: rolle", 'profile field "rolle" is not defined; did you mean "role"?'),
    ("poor_fit: [D]", "poor_fit: [E]", "poor_fit: [E]", 'fit band "E" is not defined; there is A, B, C, D'),
    ("default: {sdr: europe-sdr,", "default: {sdr: europa-sdr,", "europa-sdr", 'pool "europa-sdr" is not defined; did you mean "europe-sdr"?'),
    ("default: {sdr: europe-sdr,", "default: {sdr: europe-sales,", "sdr: europe-sales", 'pool "europe-sales" is of kind sales, but sdr leads are sent to it'),
    ("{owner: ae-hugo}", "{owner: ae-hugoo}", "ae-hugoo", 'person "ae-hugoo" is not defined; did you mean "ae-hugo"?'),
    ("pinewood-group.example: {to: {sdr: europe-sdr,", "pinewood-group.example: {to: {sdr: euro,", "euro,", 'pool "euro" is not defined; there is america-sdr, dach-sdr, europe-sdr'),
    ("within: 4 business hours, warn: [80%], use_ladder: quick", "within: 4 business hours, warn: [80%], use_ladder: quik", "quik", 'ladder "quik" is not defined; did you mean "quick"?'),
    ("{clock: first_touch, within", "{clock: first_touch, segment: midmarket, within", "midmarket", 'segment "midmarket" is not defined; did you mean "mid_market"?'),
    ("stage: sql, within: 20", "stage: sqll, within: 20", "sqll", 'stage "sqll" is not defined; did you mean "sql"?'),
    ("no_authority: {outcome: recycle, track: learn,", "no_authority: {outcome: recycle, track: lern,", "lern,", 'track "lern" is not defined; did you mean "learn"?'),
    ("fallback: not_ready", "fallback: notready", "notready", 'reason "notready" is not defined; did you mean "not_ready"?'),
    ("long_term: {track: stay-in-touch", "long_term: {track: stay_in_touch", "stay_in_touch", 'track "stay_in_touch" is not defined; did you mean "stay-in-touch"?'),
    ("topics: [migration, pricing]", "topics: [migrations, pricing]", "migrations", 'topic "migrations" is not defined; did you mean "migration"?'),
    ("metric: mql, segment: mid_market", "metric: mql, segment: medium", "segment: medium", 'segment "medium" is not defined; there is enterprise, mid_market, small'),
    ("- name: Norway\n", "- name: DACH\n", "- name: DACH\n      when: {field: profile.country, op: is", 'rule "DACH" stands here a second time; give it another name'),
    ("- name: Norway\n", "- name: default\n", "- name: default", "there is one default, under routing.default; give this rule another name"),
    ("bridge: warm leads", "holdout: 11%\n  bridge: warm leads", "holdout: 11%", "a hold-out of 11% hands over more cold leads than people bear with: 10% at most, 2% is usual"),
    # conditions
    ("field: profile.revenue_meur,", "field: profile.revenue,", "profile.revenue,", '"profile.revenue" is not in definitions.profile; did you mean "profile.revenue_meur"?'),
    ("field: lead.segment,", "field: lead.segmnet,", "lead.segmnet", '"lead.segmnet" is no field of this agreement; did you mean "lead.segment"?'),
    ("field: profile.email_kind,", "field: score.level,", "field: score.level", "fit cannot look at score.level: it looks at profile"),
    ("{field: profile.relation, op: is, value: test}", "{field: behaviour.act.form, op: at_least, value: 9}", "behaviour.act.form, op: at_least, value: 9", "routing cannot look at behaviour.act.form: it looks at account, consent, cycle, lead, profile, score"),
    ("field: profile.revenue_meur, op: at_least, value: 10", "field: profile.revenue_meur, op: contains, value: 10", "op: contains, value: 10", "profile.revenue_meur is a number, which cannot be compared with contains; it can with above, at_least, at_most, below, between, in, is, is_not, known, not_in, unknown"),
    ("field: profile.email_kind, op: is, value: company", "field: profile.contract_end, op: within_next, value: 90 days", "within_next", "fit must not change with the calendar: compare profile.contract_end with a day instead"),
    ("field: profile.email_kind, op: is, value: company", "field: profile.email_kind, op: is, value: company, within: 9 days", "within: 9 days", "within is for counts of behaviour, and profile.email_kind is a text"),
    ("field: profile.email_kind, op: is, value: company", "field: profile.email_kind, op: known, value: company", "op: known, value", "known asks only whether there is a value: leave value out"),
    ("field: profile.email_kind, op: is, value: company", "field: profile.email_kind, op: is", "email_kind, op: is}", "profile.email_kind: is needs a value"),
    ("field: profile.email_kind, op: is, value: company", "field: profile.email_kind, op: is, value: [a, b]", "value: [a, b]", "profile.email_kind: is needs one value, not a list; use in for several"),
    ("field: profile.email_kind, op: is, value: company", "field: profile.email_kind, op: in, value: company", "op: in, value: company", "profile.email_kind: in needs a list of values"),
    ("field: profile.email_kind, op: is, value: company", "field: profile.email_kind, op: is, value: 49", "value: 49}", 'profile.email_kind: 49 is not text: put it into quotes, "49"'),
    ("op: at_least, value: 10}", 'op: at_least, value: "10"}', 'value: "10"', 'profile.revenue_meur: "10" is not a number'),
    ("op: between, value: [100, 999]", "op: between, value: [999, 100]", "[999, 100]", "profile.employees: between 999 and 100 nothing can lie: the first must be the smaller"),
    ("op: between, value: [100, 999]", "op: between, value: [100]", "value: [100]", "profile.employees: between needs two values: [lowest, highest]"),
    ("field: lead.segment, op: is, value: enterprise", "field: lead.segment, op: is, value: enterprize", "enterprize", 'lead.segment is never "enterprize"; did you mean "enterprise"?'),
    ("value: '\\bmanager\\b'", "value: '(manager'", "'(manager'", 'profile.role: "(manager" is not a regular expression that can be used here: missing ): (manager'),
    ("value: '\\bmanager\\b'", "value: 5", "op: matches, value: 5", 'profile.role: 5 is not a word: put it into quotes, "5"'),
    ("field: behaviour.act.form, op: at_least, value: 1,", "field: behaviour.act.form, op: at_least, value: many,", "value: many", 'behaviour.act.form: "many" is not a count: write a whole number'),
    ("when: {field: profile.employees, op: at_least, value: 100}", "when: {all: [{field: profile.employees, op: at_least, value: 100}, {field: profile.employees, op: below, value: 50}]}", "when: {all: [", "can never be true: profile.employees at least 100 and profile.employees below 50 exclude each other"),
    # levels and points
    ("1: {enter: 70, exit: 50}", "1: {enter: 70, exit: 75}", "exit: 75", "engagement band 1 would be left below 75 but is entered at 70: the exit must not be above the enter threshold"),
    ("1: {enter: 70, exit: 50}", "1: {enter: 70, exit: 20}", "exit: 20", "engagement band 1 is left below 20, later than band 2 below it (28): exits must keep the order of the bands"),
    ("B: {enter: 45}", "B: {enter: 70}", None, "fit bands A and B both begin at 70: one of them is never entered"),
    ("D: {enter: 0}", "D: {enter: 5}", "enter: 5", "the lowest fit band (D) begins at 5: it must begin at 0, or a lead without points is in no band"),
    ("A: {1: hot,  2: hot,  3: warm, 4: cold}", "A: {1: hot,  2: hot,  3: warm}", "A: {1: hot", 'row A of the matrix lacks engagement band "4"'),
    ("A: {1: hot,  2: hot,  3: warm, 4: cold}", "A: {1: hot,  2: hot,  3: warm, 4: cold, 5: cold}", "5: cold", 'there is no engagement band "5"; there is 1, 2, 3, 4'),
    ("      D: {1: cold, 2: cold, 3: cold, 4: cold}\n", "", "    matrix:", 'the matrix lacks a row for fit band "D"'),
    ("      D: {1: cold, 2: cold, 3: cold, 4: cold}\n", "      D: {1: cold, 2: cold, 3: cold, 4: cold}\n      E: {1: cold}\n", "E: {1", 'the matrix has a row "E", but there is no such fit band; there is A, B, C, D'),
    ("A: {1: hot,  2: hot,", "A: {1: warm,  2: hot,", "A: {1: warm", "A1 is warm but A2 is hot: more engagement must not lower the level"),
    ("D: {1: cold,", "D: {1: hot,", "C: {1: warm", "C1 is warm but D1 is hot: a better fit must not lower the level"),
    ("- {stage: consideration, points: 9}", "- {stage: consideration, points: 9}\n        - {stage: decision, topics: [pricing], points: 14}", "points: 14", 'exception 3 of "download" is never reached: exception 1 before it takes everything'),
    # calendars, pools and people
    ("holidays: [GB-ENG]", "holidays: [GB-ENX]", "GB-ENX", 'GB has no part "ENX" with holidays of its own; did you mean "ENG"?'),
    ("holidays: [NO]", "holidays: [NP0]", None, None),
    ("hours: {mon-fri: 08:30-16:30}", "hours: {mon-fri: closed}", "mon-fri: closed", 'calendar "oslo" is never open: give it hours on a day of the week'),
    ("    members:\n      sdr-cleo: {capacity: 60, offers: 8}\n      sdr-dag: {capacity: 60, offers: 8}\n", "    members: {}\n", None, 'pool "europe-sdr" has no members: nobody would ever get its leads'),
    ("nobody: {overflow: dach-sales}", "nobody: {overflow: dach-sdr}", "overflow: dach-sdr}\n    members:\n      ae-iris", 'pool "europe-sales" (sales) overflows into "dach-sdr", which is sdr'),
    ("    nobody: hold\n    members:\n      sdr-anna", "    nobody: {overflow: europe-sdr}\n    members:\n      sdr-anna", "overflow: europe-sdr", "overflows run in a circle (dach-sdr -> europe-sdr -> dach-sdr): let one of them hold or be watched"),
    ("default: {sdr: europe-sdr, sales: europe-sales}", "default: {sales: europe-sales}", "default: {sales", "the default names no sdr pool, so an SDR lead that fits no rule would have none"),
    ("default: {sdr: europe-sdr, sales: europe-sales}", "default: {sdr: europe-sdr}", "default: {sdr", "the default names no sales pool, so a sales lead that fits no rule would have none"),
    ("      sdr-cleo: {capacity: 60, offers: 8}\n      sdr-dag: {capacity: 60, offers: 8}\n", "      sdr-cleo: {weight: 0}\n      sdr-dag: {capacity: 0}\n", None, 'nobody in pool "europe-sdr" takes leads in turn: each has weight 0 or capacity 0'),
    ("needs: [norwegian]", "needs: [profile.tongue]", "needs: [profile.tongue]", 'profile field "tongue" is not defined'),
    ("needs: [norwegian]", "needs: [profile.employees]", "needs: [profile.employees]", '"profile.employees" is a number: a skill is named by a field of kind text or set'),
    ("needs: [norwegian]", "needs: [finnish]", "needs: [finnish]", 'rule "Norway" needs "finnish", but nobody in pool "europe-sdr" has that skill'),
    ("A: {1: hot,  2: hot,  3: warm, 4: cold}\n", "A: {1: warm,  2: hot,  3: warm}\n", "A: {1: warm,  2: hot,  3: warm}", "A1 is warm but A2 is hot: more engagement must not lower the level"),
    ("harborlight.example: {", "Harborlight.example: {", "Harborlight.example", 'no lead is of account "Harborlight.example": accounts are named by their domain in small letters, bigfirm.example'),
    ("harborlight.example: {", "Harborlight Ltd: {", "Harborlight Ltd", 'no lead is of account "Harborlight Ltd": accounts are named by their domain in small letters, bigfirm.example'),
    ("harborlight.example: {", "www.harborlight.example: {", "www.harborlight", 'no lead is of account "www.harborlight.example": accounts are named by their domain in small letters, bigfirm.example'),
    ("harborlight.example: {", "sub.harborlight.example: {", "sub.harborlight", 'no lead is of account "sub.harborlight.example": an account goes by its registered domain, which its hosts share; write harborlight.example, once'),
    ("        any:\n          - {field: behaviour.stage.decision, op: at_least, value: 1, within: 90 days}", "        all:\n          - {field: behaviour.stage.decision, op: below, value: 0}", "when:\n        all:\n", "can never be true: behaviour.stage.decision is never below 0"),
    ("    expect: {fit: 90,", "    at: 2026-03-02 10:40\n    expect: {fit: 90,", "at: 2026-03-02 10:40", 'example "The head of IT of a logistics firm attends a webinar that buyers attend, and looks at the prices" is looked at before its last event: put at later, or leave it out'),
    # rules that are never reached
    ("    - name: North America", "    - name: some\n      when: {field: profile.country, op: in, value: [AT, IE]}\n      to: {sdr: america-sdr}\n    - name: North America", "- name: some", 'rule "some" is never reached: "DACH" and "rest of Europe" before it take everybody it would take'),
    ("    - name: North America", "    - name: theirs\n      when: {all: [{field: profile.relation, op: is, value: competitor}, {field: profile.country, op: is, value: US}]}\n      to: {sdr: america-sdr}\n    - name: North America", "- name: theirs", 'rule "theirs" is never reached: "competitors" before it takes everybody it would take'),
    ("op: between, value: [100, 999]}", "op: at_least, value: 2000}", "- name: mid_market", 'segment "mid_market" is never reached: "enterprise" before it takes everybody it would take'),
    ("field: profile.country, op: is, value: NO}", "field: profile.country, op: is, value: AT}", "- name: Norway", 'rule "Norway" is never reached: "DACH" before it takes everybody it would take'),
    ("{field: profile.relation, op: is, value: test}", "{field: profile.relation, op: is, value: employee}", "- name: tests", 'rule "tests" is never reached: "our own people" before it takes everybody it would take'),
    ("- {clock: accept, queue: sdr, within: 4 business hours,", "- {clock: accept, queue: sdr, level: hot, within: 4 business hours,", "{clock: accept, queue: sdr, level: hot, within: 4", 'promise "accept sdr hot" is never reached: "accept sdr hot" before it takes the same leads'),
    # promises and ladders
    ("{clock: first_touch, within", "{clock: first_touch, stage: sql, within", "stage: sql, within: 1", "stage belongs to the clock advance, not to first_touch"),
    ("{clock: first_touch, within", "{clock: first_touch, attempts: 3, within", "attempts: 3", "attempts belong to the clock follow_up, not to first_touch"),
    ("- {do: reassign, at_most: 2}", "- {do: reassign, at_most: 2, to: sdr-anna}", "at_most: 2, to", "reassign goes to nobody in particular: leave to out"),
    ("- {do: notify, to: owner}\n      - {do: reassign", "- {do: notify, to: onwer}\n      - {do: reassign", "to: onwer", 'person "onwer" is not defined; did you mean "owner"?'),
    ("- {do: notify, to: owner}\n      - {do: reassign", "- {do: notify}\n      - {do: reassign", "- {do: notify}", "notify whom? add to: owner, to: manager or a person"),
    ("- {do: escalate, to: manager}\n      - {do: manager_queue", "- {do: escalate, to: manager, at_most: 2}\n      - {do: manager_queue", "manager, at_most: 2", "at_most belongs to reassign, not to escalate"),
    ("- {do: recycle, reason: sla_expired, after: 5 working days}", "- {do: recycle, after: 5 working days}", "- {do: recycle", "recycle needs a reason, such as sla_expired"),
    ("- {do: recycle, reason: sla_expired,", "- {do: recycle, reason: sla_expird,", "sla_expird", 'reason "sla_expird" is not defined; did you mean "sla_expired"?'),
    ("- {do: recycle, reason: sla_expired,", "- {do: recycle, reason: not_icp,", "reason: not_icp", '"not_icp" does not recycle but disqualifies: a buyer is not punished for a breach'),
    ("- {do: recycle, reason: sla_expired, after: 5 working days}", "- {do: recycle, reason: sla_expired}\n      - {do: escalate, to: manager}", "- {do: escalate, to: manager}\n  promises", "comes after recycle, when the lead is gone: put recycle last"),
    ("- {do: manager_queue, after: 4 business hours}", "- {do: manager_queue, reason: sla_expired}", "manager_queue, reason", "reason belongs to recycle, not to manager_queue"),
    ("- {do: manager_queue, after: 4 business hours}", "- {do: manager_queue}\n      - {do: notify, to: owner, after: 1 working day}", "- {do: notify, to: owner, after: 1", "notify never comes: manager_queue before it gives the lead to the manager"),
    ("- {do: escalate, to: manager}\n      - {do: manager_queue", "- {do: escalate, to: manager}\n      - {do: escalate, to: mgr-owen}\n      - {do: manager_queue", "to: mgr-owen}\n      - {do: manager", "escalate never comes: a lead is escalated once, by the step before it"),
    ("{clock: return, within: 2 working days, ladder: [{do: notify, to: manager}]}", "{clock: return, within: 2 working days, ladder: [{do: reassign}]}", "{do: reassign}]", "reassign never comes: nobody holds the lead while return runs"),
    ("{clock: first_touch, within", "{clock: first_touch, apart: 1 hour, within", "apart: 1 hour", "apart belongs to the clock follow_up, not to first_touch"),
    ("{clock: first_touch, within", "{clock: first_touch, resume_when: {act: call}, within", "{act: call}", "first_touch waits for nobody, so nothing ends its waiting: add pause_when, or leave resume_when out"),
    ("{clock: first_touch, within", "{clock: first_touch, pause_when: {act: cal}, within", "cal}", 'act "cal" is not defined; did you mean "call"?'),
    ("- {do: notify, to: owner}\n      - {do: reassign", "- {do: notify, to: owner, segment: enterprize}\n      - {do: reassign", "enterprize", 'segment "enterprize" is not defined; did you mean "enterprise"?'),
    # recycling
    ("fallback: not_ready", "fallback: not_icp", "fallback: not_icp", '"not_icp" does not recycle: an unknown reason must not lose a lead'),
    # examples
    ("- {at: 2026-03-03 09:00, act: page_view}", "- {at: 2026-03-03 09:00, act: pageview}", "act: pageview", 'act "pageview" is not defined; did you mean "page_view"?'),
    ("profile: {country: DE, role: Student, email_kind: free}", "profile: {county: DE, role: Student, email_kind: free}", "county: DE", 'profile field "county" is not defined; did you mean "country"?'),
    ("pool: dach-sdr, deadline: 2026-03-02", "pool: dachsdr, deadline: 2026-03-02", "dachsdr,", 'pool "dachsdr" is not defined; did you mean "dach-sdr"?'),
    ("fit: 0, grade: D2,", "fit: 0, grade: E2,", "grade: E2", 'grade "E2" is not defined; there is A1, A2, A3'),
    ("expect: {level: warm, queue: sales, pool: europe-sales, deadline: 2026-05-18 09:30}", "expect: {}", "expect: {}", 'example "Norway is served by somebody who speaks Norwegian, also after a week-end" expects nothing'),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "marker", "message"), [row for row in MEANING if row[3]])
def test_a_wrong_meaning(old: str, new: str, marker: str | None, message: str) -> None:
    text = planted(old, new)
    examined = examine(text)
    assert examined.model is not None, examined.problems
    errors = [f"{error.line}: {error.message}" for error in examined.errors]
    if marker is None:
        assert [error.split(": ", 1)[1][: len(message)] for error in errors] == [message]
    else:
        assert f"{line_of(text, marker)}: {message}" in [
            error[: len(f"{line_of(text, marker)}: {message}")] for error in errors
        ]


WARNINGS = [
    ("longer_than: 5 days}", "longer_than: 5 days}\n    relax: [let_pass]", "relax: [let_pass]", 'pool "america-sales" holds what nobody can take and never gives up said_no, had_it_last: a lead that everybody let pass or refused would wait for ever; let it overflow or be watched'),
    ("{open_work: deputy, longer_than: 5 days}", "{longer_than: 5 days}", "{longer_than: 5 days}", 'pool "america-sales" keeps open work in every absence: longer_than says nothing'),
    (", deputy: ae-kim}", "}", "{open_work: deputy", '"ae-lou" of pool "america-sales" has no deputy: whose turn it is takes over their open work'),
    ("mkt-noor: {", "mkt-noor: {active: false, ", "contacts:", '"mkt-noor" is not active, but is the marketing contact of "enterprise"'),
    ("default: mkt-mia}", "default: mkt-noor}", "mkt-mia: {", '"mkt-mia" is in no pool, manages nobody and owns no account'),
    ("    careers_view: {points: -10, group: reading, per_day: 1}\n", "", "careers_view: Looked", 'act "careers_view" has no points in engagement: only conditions can count it'),
    ("    mailing: {half_life: 10 days,", "    spare: {half_life: 10 days}\n    mailing: {half_life: 10 days,", "spare:", 'group "spare" has no acts'),
    ("points: 5\n    when: {field: profile.email", "points: 0\n    when: {field: profile.email", "points: 0\n", '"Company address" is worth nothing'),
    ("email_click: {points: 2,", "email_click: {points: 12,", "points: 12, group: mailing", '"email_click" gives 12 points, but its group "mailing" is capped at 10'),
    ("page_view: {points: 1, group: reading, per_day: 5}", "page_view: {points: 1, group: reading, per_day: 50}", "per_day: 50", '"page_view" may count 50 times a day, but its group "reading" stops at 10'),
    ("trial_started: {points: 35,", "trial_started: {points: 0,", "points: 0, group", '"trial_started" qualifies at once, yet is worth 0'),
    ("behaviour.act.form, op: at_least, value: 1, within: 90 days", "behaviour.act.form, op: at_least, value: 1, within: 300 days", "within: 300", '"form" is forgotten after 180 days (group "intent"), before 300 days'),
    ("calendar: oslo, skills: [norwegian, english], manager: mgr-ines}\n  ae-kim", "calendar: london, skills: [norwegian, english], manager: mgr-ines}\n  ae-kim", None, None),
    ("  oslo:\n", "  spare: {hours: {mon: 09:00-17:00}}\n  oslo:\n", "spare:", 'calendar "spare" is used by nobody'),
    ("  mgr-owen: {", "  sdr-zoe: {name: Zoe}\n  mgr-owen: {", "sdr-zoe", '"sdr-zoe" is in no pool, manages nobody and owns no account'),
    ("to: {sdr: america-sdr, sales: america-sales}\n  segments", "to: {sdr: europe-sdr, sales: america-sales}\n  segments", None, None),
    ("value: [GB, IE, SE, DK]", "value: [GB, NO, IE, SE, DK]", "- name: rest of Europe", '"NO" fits "rest of Europe" and "Norway"; the first, "Norway", takes it'),
    ("    - {clock: route, within: 30 minutes elapsed, warn: [50%], ladder: [{do: escalate, to: manager}]}\n", "", "  promises:", "nothing is promised for route: a lead that waits for a person would have no deadline"),
    ("    - {clock: nurture_start, within: 2 working days, warn: [50%], ladder: [{do: notify, to: manager}]}\n", "", "  promises:", "nothing is promised for nurture_start: a recycled lead (marketing's side) would have no deadline"),
    ("    - {clock: accept, queue: sdr, within: 4 business hours, warn: [80%], use_ladder: quick}\n", "", "  promises:", "nothing is promised for accept by sdr of warm leads: they would have no deadline"),
    ("email_click: {points: 2,", "email_click: {max_age: 3 days, points: 2,", "max_age: 3 days", 'max_age of "email_click" says nothing: it belongs to acts with fast_track: true'),
    ("ae-hugo: {name: Hugo (sales),", "ae-hugo: {active: false, name: Hugo (sales),", "owner: ae-hugo", '"ae-hugo" is not active, but owns account "harborlight.example", whose leads go by the other rules'),
    ("hours: {mon-fri: 08:30-16:30}\n    holidays: [NO]", "hours: {mon-fri: 22:00-06:00}\n    holidays: [NO]\n    closed: [2027-05-20]", "closed: [2027-05-20]", '2027-05-20 is closed, but the shift of 2027-05-19 goes on until 06:00 of that day: with "shifts_over_midnight: calendar day" it ends at midnight'),
    ("hours: {mon-fri: 08:30-16:30}\n    holidays: [NO]", "hours: {mon-fri: 22:00-06:00}\n    holidays: [NO]\n    shifts_over_midnight: calendar day\n    closed: [2027-05-20]", "closed: [2027-05-20]", '2027-05-20 is closed, but the shift that begins on it is open after midnight, until 06:00 of 2027-05-21: with "shifts_over_midnight: day they begin on" all of it is closed'),
    ("hours: {mon-fri: 08:30-16:30}\n    holidays: [NO]", "hours: {mon-fri: 22:00-06:00}\n    holidays: [NO]\n    shifts_over_midnight: calendar day\n    closed: [2027-05-20, 2027-05-21]", "closed: [2027-05-20", '2027-05-21 is closed, but the shift that begins on it is open after midnight, until 06:00 of 2027-05-22: with "shifts_over_midnight: day they begin on" all of it is closed'),
    ("calendar: berlin                     # the house", "effective_at: 2027-03-28 02:30\ncalendar: berlin                     # the house", "effective_at", "2027-03-28 02:30 does not exist in Europe/Berlin, where the clocks go forward then: it counts as 03:30"),
    ("calendar: berlin                     # the house", "effective_at: 2027-10-31 02:30\ncalendar: berlin                     # the house", "effective_at", "2027-10-31 02:30 comes twice in Europe/Berlin, where the clocks go back then: the first one counts; write it with an offset to say which"),
    ("sdr-cleo: {capacity: 60, offers: 8}", "sdr-cleo: {per_day: 9, per_week: 9}", "per_day: 9", '"sdr-cleo" may have 9 leads a day but 9 a week: the day limits nothing'),
    ("sdr-cleo: {name: Cleo (SDR),", "sdr-cleo: {capacity: 50, name: Cleo (SDR),", "sdr-cleo: {capacity: 60", '"sdr-cleo" has capacity 60 in pool "europe-sdr" but 50 over all pools: the smaller one counts'),
    ("sdr-cleo: {name: Cleo (SDR),", "sdr-cleo: {per_day: 9, per_week: 9, name: Cleo (SDR),", "sdr-cleo: {per_day: 9", '"sdr-cleo" may have 9 leads a day but 9 a week: the day limits nothing'),
    ("      sdr-cleo: {capacity: 60, offers: 8}\n      sdr-dag: {capacity: 60, offers: 8}\n", "      sdr-cleo: {ramp: {from: 2027-01-04, weeks: 4}}\n      sdr-dag: {ramp: {from: 2027-02-01, weeks: 4}}\n", "    members:\n      sdr-cleo: {ramp", 'everybody in pool "europe-sdr" is new: before 2027-01-04 nobody gets a lead of it'),
    ("    - name: large firms elsewhere", "    - name: some\n      when: {field: profile.employees, op: between, value: [10, 500]}\n      to: {sdr: europe-sdr}\n    - name: others\n      when: {field: profile.employees, op: between, value: [400, 900]}\n      to: {sdr: europe-sdr}\n    - name: large firms elsewhere", "- name: others", '"others" and "some" overlap (profile.employees between [10, 500], profile.employees between [400, 900]); the first, "some", takes those'),
    ("{clock: follow_up, attempts: 5, apart: 2 hours,", "{clock: follow_up, apart: 2 hours,", "apart: 2 hours", "apart is between attempts, and one is promised: add attempts: 3"),
    ("hours: {mon-fri: 09:00-17:30}", "hours: {mon-fri: 17:30-09:00}", "17:30-09:00", '"17:30-09:00" on mon is a night of more than 12 hours: is it the wrong way round?'),
    ("    patient:\n", "    spare: [{do: escalate, to: manager}]\n    patient:\n", "spare:", 'ladder "spare" is used by no promise'),
    ("    student: {outcome: disqualify}\n", "", "  reasons:", 'usual reasons are not listed: "student"; a tool that sends one is refused'),
    ("not_icp: {outcome: disqualify}", "not_icp: {outcome: recycle, track: learn, comes_back: after 300 days}", "outcome: recycle, track: learn, comes_back: after 300", '"not_icp" usually means not to come back (disqualify)'),
    ("no_response: {outcome: recycle, track: learn, comes_back: after 30 days, cool_off: 7 days}", "no_response: {outcome: recycle, track: learn, comes_back: after 30 days, cool_off: 70 days}", "cool_off: 70", '"no_response" comes back after 30 days, but cools off for 70 days: the later counts'),
    ("    stay-in-touch: {label", "    spare: {}\n    stay-in-touch: {label", "spare:", 'no reason leads to track "spare"'),
    ("A: {1: hot,  2: hot,  3: warm, 4: cold}\n      B: {1: hot, ", "A: {1: warm,  2: warm,  3: warm, 4: cold}\n      B: {1: warm, ", "    matrix:", "no cell is hot: the level cannot be reached"),
    ("    - name: large firms elsewhere", "    - name: large firms elsewhere", None, None),
    ("      points: 15\n      group: events\n", "      points: 20\n      group: events\n", "points: 20\n      group: events", '"webinar" is worth 20, and engagement band 3 begins at 20: alone it reaches the band only where it arrives within 2 hours 36 minutes; give it a point more, or the band a point less'),
    ("      points: 15\n      group: events\n", "      points: 20.049999\n      group: events\n", "points: 20.049999", '"webinar" is worth 20.049999, and engagement band 3 begins at 20: alone it reaches the band only where it arrives within 5 hours 11 minutes; give it a point more, or the band a point less'),
    ("        - {stage: decision, points: 25}", "        - {stage: decision, points: 39.95}", "points: 39.95", '"webinar" is worth 39.95, and engagement band 2 begins at 40: alone it reaches the band only where it arrives within 1 minute; give it a point more, or the band a point less'),
    ("bridge: warm leads", "holdout: 2%\n  bridge: warm leads", "holdout: 2%", "leads with fit D never qualify by their score; 2% of those that do something are handed over too"),
    ("3: {enter: 20, exit: 12}", "3: {enter: 20, exit: 19.95}", "exit: 19.95", "engagement band 3 is entered at 20 and left below 19.95: less than a tenth of a point apart, so it is left as soon as it is entered"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "marker", "message"), [row for row in WARNINGS if row[3]])
def test_something_odd_is_a_warning_and_no_error(
    old: str, new: str, marker: str, message: str
) -> None:
    text = planted(old, new)
    assert reported(text) == [f"{line_of(text, marker)}: warning: {message}"]
    agreement_of(text)


def test_a_cap_below_every_threshold_that_needs_it_is_an_error() -> None:
    text = planted(
        "intent: {half_life: 30 days, window: 180 days}", "intent: {half_life: 30 days, cap: 5}"
    )
    text = planted(
        "events: {half_life: 30 days, window: 180 days, cap: 40}",
        "events: {half_life: 30 days, cap: 10}",
        text,
    )
    assert [f"{error.line}: {error.message}" for error in examine(text).errors] == [
        (
            f"{line_of(text, '1: {enter: 70')}: engagement band 1 begins at 70, which hot and warm need, but the groups give 55 at"
            " most (caps: reading 30, events 10, intent 5, mailing 10): it cannot be reached"
        )
    ]


def test_criteria_that_cannot_reach_a_band_are_an_error() -> None:
    text = planted(
        "points: 25\n    when: {field: profile.employees",
        "points: 1\n    when: {field: profile.employees",
    )
    text = planted("A: {enter: 70}", "A: {enter: 95}", text)
    assert [f"{error.line}: {error.message}" for error in examine(text).errors] == [
        (
            f"{line_of(text, 'A: {enter: 95}')}: fit band A begins at 95, but all criteria together "
            "give 91: it cannot be reached"
        )
    ]


def test_a_side_without_goals_and_an_agreement_without_examples_are_odd() -> None:
    text = SOUND[: SOUND.index("examples:  ")]
    for name in ("accepted", "qualified", "won"):
        text = "".join(
            line
            for line in text.splitlines(keepends=True)
            if not line.startswith(f"  {name}: {{side: sales")
        )
    assert [line.split("warning: ")[1] for line in reported(text)] == [
        "there are no examples: write down a few leads and what you both expect of them",
        "sales has no goal: an agreement has two sides",
    ]


def test_everything_wrong_is_reported_at_once_in_the_order_of_the_file() -> None:
    text = SOUND
    for old, new in (
        (
            "calendar: oslo, skills: [norwegian, english], manager: mgr-ines}\n  sdr-erin",
            "calendar: olso, skills: [norwegian, english], manager: mgr-ines}\n  sdr-erin",
        ),
        ("within: 4 business hours, warn: [80%]", "within: 4 hours, warn: [80%]"),
        ("demo_request: {points: 40,", "demo_request: {pionts: 40,"),
        ("exit: 50}", "exit: 75}"),
        ("stage: sql, within: 20", "stage: sqll, within: 20"),
        ("dwell: 1 day", "dwell: 1 day\n    dwell: 2 days"),
    ):
        text = planted(old, new, text)
    expected = [
        (
            line_of(text, "exit: 75"),
            (
                "engagement band 1 would be left below 75 but is entered at 70: the exit must not be "
                "above the enter threshold"
            ),
        ),
        (
            line_of(text, "dwell: 2 days"),
            (
                '"dwell" stands here a second time; the first is in line '
                f"{line_of(text, 'dwell: 1 day')}"
            ),
        ),
        (
            line_of(text, "pionts"),
            'unknown key "pionts" in engagement.acts.demo_request; did you mean "points"?',
        ),
        (line_of(text, "olso"), 'calendar "olso" is not defined; did you mean "oslo"?'),
        (
            line_of(text, "within: 4 hours"),
            (
                'slas.promises[6].within: "4 hours" does not say whether closed hours count: write "4 '
                'business hours" or "4 hours elapsed"'
            ),
        ),
        (line_of(text, "sqll"), 'stage "sqll" is not defined; did you mean "sql"?'),
    ]
    assert reported(text) == [f"{line}: {message}" for line, message in expected]


@pytest.mark.parametrize(
    "key", ["half_life", "enter", "members", "ladders", "any", "suppress", "comes_back", "to"]
)
def test_a_misspelt_key_is_one_mistake_and_drags_nothing_along(key: str) -> None:
    text = planted(f"{key}:", f"{key}x:")
    assert [line.split('"')[:2] for line in reported(text)] == [
        [f"{line_of(text, f'{key}x:')}: unknown key ", f"{key}x"]
    ]


def test_a_misspelt_key_does_not_hide_what_is_odd() -> None:
    text = planted(
        "    dwell: 1 day ",
        "    dwel: 1 day ",
        planted("value: [GB, IE, SE, DK]", "value: [GB, NO, IE, SE, DK]"),
    )
    assert reported(text) == [
        (
            f'{line_of(text, "dwel:")}: unknown key "dwel" in definitions.levels; did you mean '
            '"dwell"?'
        ),
        (
            f'{line_of(text, "- name: rest of")}: warning: "NO" fits "rest of Europe" and "Norway"; '
            'the first, "Norway", takes it'
        ),
    ]


def test_a_refused_file_reports_file_line_reason_and_way_out(tmp_path: Path) -> None:
    file = tmp_path / "agreement.yaml"
    file.write_text(planted("role_field: role", "role_field: rolle"), encoding="utf-8")
    with pytest.raises(AgreementRefused) as raised:
        read_agreement(file)
    line = line_of(file.read_text(encoding="utf-8"), "role_field")
    assert (
        str(raised.value)
        == f'{file}:{line}: profile field "rolle" is not defined; did you mean "role"?'
    )


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("emea-sdr", ["emea_sdr", "apac"], '; did you mean "emea_sdr"?'),
        ("zzz", ["a", "b"], "; there is a, b"),
        ("zzz", [], ""),
        (
            "z",
            [f"n{number}" for number in range(12)],
            "; there is n0, n1, n10, n11, n2, n3, n4, n5 ...",
        ),
    ],
)
def test_what_was_meant_is_suggested(word: str, known: list[str], hint: str) -> None:
    assert did_you_mean(word, known) == hint


@pytest.mark.parametrize(
    ("ladder", "lead", "said"),
    [
        (
            "manager_queue",
            "",
            (
                'manager_queue would take leads of pool "first" to nobody: it has no manager and '
                'neither has "ann"; add manager: ...'
            ),
        ),
        ("manager_queue", ", manager: max", None),
        ("escalate", "", None),
    ],
    ids=["to nobody", "to their manager", "only reported"],
)
def test_a_ladder_takes_a_lead_to_nobody_only_where_check_says_so(
    ladder: str, lead: str, said: str | None
) -> None:
    text = f"""
people:
  max: {{name: Max}}
  ann: {{name: Ann{lead}}}
pools:
  first: {{kind: sales, members: {{ann: {{}}}}}}
slas:
  promises:
    - {{clock: accept, within: 1 business hour, ladder: [{{do: {ladder}}}]}}
"""
    found = [
        ladder_problem for ladder_problem in _ladder_problems(text) if "manager" in ladder_problem
    ]
    assert found == ([said] if said else [])


def _ladder_problems(text: str) -> list[str]:
    model = agreement_of(SOUND)
    more = read_yaml(text).data
    plain = model.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    changed = plain | {"people": more["people"], "pools": more["pools"], "slas": more["slas"]}
    changed["routing"] = {"default": {"sales": "first"}}
    changed["lifecycle"] = {"bridge": "none"}
    changed["goals"], changed["examples"] = {}, []
    return [
        problem.message
        for problem in check(CheckContext(model=model_of(changed)))
        if problem.severity is Severity.ERROR
    ]


def test_a_week_that_begins_on_sunday_is_not_the_one_that_limits_count_by() -> None:
    text = SOUND.replace(
        "hours: {mon-fri: 09:00-17:30}", "hours: {mon-thu: 09:00-17:30, sun: 09:00-17:30}"
    )
    text = text.replace("sdr-cleo: {capacity: 60", "sdr-cleo: {per_week: 20, capacity: 60")
    assert text != SOUND
    said = [problem.message for problem in examine(text).problems]
    assert (
        '"sdr-cleo" works from Sunday on (calendar "london"), but weeks begin on Monday: for '
        "per_week, Sunday belongs to the week before"
    ) in said


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # Norway's 17 May closes the shift before it: nothing reaches into the day off.
        (
            "{mon-fri: 08:30-16:30}\n    holidays: [NO]",
            "{mon-fri: 22:00-06:00}\n    holidays: [NO]\n    closed: [2027-05-18]",
        ),
        (
            "calendar: berlin                     # the house",
            "effective_at: 2027-10-31T02:30:00+01:00\ncalendar: berlin                     # the house",
        ),
        (
            "calendar: berlin                     # the house",
            "effective_at: 2027-10-31 03:00\ncalendar: berlin                     # the house",
        ),
    ],
)
def test_what_counts_as_it_reads_is_not_odd(old: str, new: str) -> None:
    assert reported(planted(old, new)) == []
