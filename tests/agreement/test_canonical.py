"""The version is the meaning's hash: layout, comments and the order of keys do not change it; every
change of meaning does."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from baton.agreement.canonical import (
    canonical_text,
    compiled_of,
    load_canonical,
    model_of,
    version_of,
)
from baton.agreement.diff import changes, summary
from baton.agreement.source.read import agreement_of, read_agreement
from baton.agreement.source.yaml import read_yaml

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "agreements"
NAMES = ("software", "services", "demo")
SOUND = (EXAMPLES / "software.yaml").read_text(encoding="utf-8")


def version(text: str) -> str:
    return version_of(canonical_text(agreement_of(text)))


@pytest.mark.parametrize("name", NAMES)
def test_the_canonical_form_reads_back_to_itself(name: str) -> None:
    model = read_agreement(EXAMPLES / f"{name}.yaml")
    text = canonical_text(model)
    loaded = load_canonical(text, model.attached)
    assert canonical_text(loaded.raw) == text
    assert loaded.version == version_of(text)
    assert len(version_of(text)) == 16


def shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    return [shuffled(item, chance) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_keys_does_not_change_the_version(seed: int) -> None:
    data = read_yaml(SOUND).data
    mixed = shuffled(data, random.Random(seed))
    assert list(mixed) != list(data)
    assert canonical_text(model_of(mixed)) == canonical_text(model_of(data))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# The lead agreement", "# Another comment"),
        ("dwell: 1 day ", "dwell: 24h   "),
        ("half_life: 14 days,", "half_life: 2 weeks,"),
        ("points: 40, group: intent", "points: 40.0, group: intent"),
        (
            "within: 1 business hour, warn: [50%, 80%]",
            "within: 60 business minutes, warn: [50 %, 80%]",
        ),
        (
            "hours: {mon-fri: 09:00-17:30}",
            "hours: {mon-wed: 09:00-17:30, thu: 09:00-17:30, Friday: 09:00-17:30}",
        ),
        ("comes_back: contract_end - 60 days", "comes_back: contract_end - 60d"),
        ("nobody: hold\n    members:\n      sdr-anna", "members:\n      sdr-anna"),
        ("level: hot, within: 2 business hours", "level: [hot], within: 2 business hours"),
        ("4: {enter: 0}", "4: {enter: 0, exit: null}"),
    ],
)
def test_the_same_meaning_has_the_same_version(old: str, new: str) -> None:
    assert old in SOUND
    assert version(SOUND.replace(old, new, 1)) == version(SOUND)


CHANGES = [
    (
        "relax: [let_pass, skills, said_no]",
        "relax: [skills]",
        [
            "pools|pool europe-sdr: gives up let_pass, then skills, then said_no -> skills",
        ],
    ),
    (
        "absences: {open_work: deputy, longer_than: 5 days}",
        "absences: {open_work: release}",
        [
            (
                "pools|pool america-sales: accepted leads of whoever is away go to their deputy in an "
                "absence of more than 5 days -> go to whose turn it is"
            ),
        ],
    ),
    (
        "contacts: {segments: {enterprise: mkt-noor}, default: mkt-mia}",
        (
            "contacts: {segments: {enterprise: mkt-mia, mid_market: mkt-noor}, default: mkt-mia}\n"
            "  match_anew: never"
        ),
        [
            "routing|a lead whose profile changes is matched anew while it is: untaken -> never",
            "routing|marketing contact of segment mid_market added: mkt-noor",
            "routing|marketing contact of segment enterprise: mkt-noor -> mkt-mia",
        ],
    ),
    (
        "points: 40, group: intent, fast_track: true, max_age: 7 days}\n    pricing_call",
        "points: 45, group: intent, fast_track: true, max_age: 7 days}\n    pricing_call",
        ["engagement|act demo_request: 40 -> 45 points"],
    ),
    (
        "reading: {half_life: 14 days,",
        "reading: {half_life: 10 days,",
        ["engagement|group reading: half life 14 days -> 10 days"],
    ),
    ("cap: 30, per_day", "cap: 35.5, per_day", ["engagement|group reading: cap 30 -> 35.5"]),
    (
        "- {stage: decision, points: 12}",
        "- {stage: decision, points: 14}",
        [
            "engagement|act download: exceptions: stage decision, points 12; stage consideration, points 9 -> stage decision, points 14; stage consideration, points 9"
        ],
    ),
    (
        "1: {enter: 70, exit: 50}",
        "1: {enter: 65, exit: 45}",
        [
            "levels|engagement band 1 begins at 70 -> 65",
            "levels|engagement band 1 is left below 50 -> 45",
        ],
    ),
    ("B: {1: hot,  2: warm,", "B: {1: hot,  2: hot,", ["levels|B2: warm -> hot"]),
    ("dwell: 1 day ", "dwell: 2 days ", ["levels|dwell: 1 day -> 2 days"]),
    (
        "bridge: warm leads",
        "bridge: every lead",
        ["lifecycle|the bridge team takes: warm leads -> every lead"],
    ),
    (
        "bridge: warm leads",
        "bridge: warm leads\n  holdout: 2%",
        ["lifecycle|handed over blind below the threshold: 0% -> 2%"],
    ),
    (
        "  Student:\n    points: -60\n    when: {field: profile.role, op: contains, value: student}\n",
        "",
        ["fit|criterion Student removed (-60 points)"],
    ),
    (
        "value: [manufacturing, logistics, wholesale, retail]",
        "value: [manufacturing, logistics]",
        [
            'fit|criterion "Industry we know": when: profile.industry in [manufacturing, logistics, wholesale, retail] -> profile.industry in [manufacturing, logistics]'
        ],
    ),
    (
        "      sdr-ben: {weight: 1, capacity: 40, offers: 8}     # half-time\n",
        "",
        ["pools|pool dach-sdr: member sdr-ben removed"],
    ),
    (
        "sdr-anna: {weight: 2,",
        "sdr-anna: {weight: 3,",
        ["pools|pool dach-sdr: member sdr-anna: weight: 2 -> 3"],
    ),
    (
        "level: hot, within: 2 business hours",
        "level: hot, within: 90 business minutes",
        ['slas|promise "first_touch hot": within: 2 business hours -> 1 business hour 30 minutes'],
    ),
    (
        "      - {do: reassign, at_most: 2}\n",
        "      - {do: reassign, at_most: 3}\n",
        [
            "slas|ladder quick: notify owner, then reassign at most 2 times, then escalate to manager, then manager queue after 4 business hours -> notify owner, then reassign at most 3 times, then escalate to manager, then manager queue after 4 business hours"
        ],
    ),
    (
        "comes_back: after 45 days, cool_off: 14 days",
        "comes_back: after 50 days, cool_off: 7 days",
        [
            "recycling|reason no_authority: comes back: after 45 days -> after 50 days",
            "recycling|reason no_authority: cool off 14 days -> 7 days",
        ],
    ),
    (
        "won: {side: sales, metric: won, target: 8,",
        "won: {side: sales, metric: won, target: 10,",
        ["goals|goal won: target: 8 -> 10"],
    ),
    (
        "hand_raise_allows: true}",
        "hand_raise_allows: false}",
        ["consent|hand-off: hand raise allows: yes -> no"],
    ),
    ("holidays: [NO]", "holidays: []", ["calendars|calendar oslo: holidays: NO -> none"]),
    (
        "    - name: DACH\n      when: {field: profile.country, op: in, value: [DE, AT, CH]}\n      to: {sdr: dach-sdr, sales: dach-sales}\n      needs: [german]\n    - name: Norway\n      when: {field: profile.country, op: is, value: NO}\n      to: {sdr: europe-sdr, sales: europe-sales}\n      needs: [norwegian]\n",
        "    - name: Norway\n      when: {field: profile.country, op: is, value: NO}\n      to: {sdr: europe-sdr, sales: europe-sales}\n      needs: [norwegian]\n    - name: DACH\n      when: {field: profile.country, op: in, value: [DE, AT, CH]}\n      to: {sdr: dach-sdr, sales: dach-sales}\n      needs: [german]\n",
        [
            'routing|the order of territory rules changed from Norway on: now Norway, DACH, "rest of Europe", Quebec, "North America"'
        ],
    ),
    (
        "evidence_grace: {salesforce: 10 minutes,",
        "evidence_grace: {salesforce: 15 minutes,",
        ["slas|evidence grace salesforce: 10 minutes -> 15 minutes"],
    ),
]


@pytest.mark.parametrize(("old", "new", "reported"), CHANGES)
def test_a_change_is_reported_in_words_and_is_another_version(
    old: str, new: str, reported: list[str]
) -> None:
    assert old in SOUND
    before, after = agreement_of(SOUND), agreement_of(SOUND.replace(old, new, 1))
    assert version_of(canonical_text(before)) != version_of(canonical_text(after))
    assert [f"{change.section}|{change.text}" for change in changes(before, after)] == reported


def test_no_change_and_many_changes_are_summed_up() -> None:
    before = agreement_of(SOUND)
    assert (changes(before, before), summary(())) == ((), "nothing changed")
    after = read_agreement(EXAMPLES / "services.yaml")
    found = changes(before, after)
    assert {change.section for change in found} >= {
        "agreement",
        "levels",
        "fit",
        "engagement",
        "pools",
        "routing",
        "slas",
        "recycling",
        "goals",
        "consent",
    }
    assert sum(int(part.split()[0]) for part in summary(found).split(", ")) == len(found)


def test_the_compiled_agreement_does_not_depend_on_the_order_of_keys() -> None:
    data = read_yaml(SOUND).data
    profile = {"country": "DE", "employees": "250", "role": "Head", "industry": "retail"}
    one = compiled_of(model_of(data))
    other = load_canonical(canonical_text(model_of(shuffled(data, random.Random(7)))))
    assert one is other, "the same text is compiled once"
    assert one.fit.evaluate(profile) == other.fit.evaluate(profile)


def test_the_canonical_text_is_plain_json() -> None:
    plain = json.loads(canonical_text(agreement_of(SOUND)))
    assert plain["agreement"] == 1
    assert plain["engagement"]["acts"]["page_view"] == {
        "points": 1,
        "group": "reading",
        "per_day": 5,
    }
    assert plain["slas"]["promises"][0]["within"] == "30 minutes elapsed"
    assert plain["recycling"]["reasons"]["in_contract"]["comes_back"] == "contract_end - 60 days"
