"""Ranges of text: postal areas as teams write them."""

from __future__ import annotations

import pytest

from baton.agreement.source.read import agreement_of
from baton.agreement.text_ranges import bounds_of, lies_between
from tests.agreement.test_checks import SOUND

LIES: list[tuple[tuple[str, str], str, bool]] = [
    (("10000", "14199"), "10000", True),
    (("10000", "14199"), "14199", True),
    (("10000", "14199"), "14200", False),
    (("10000", "14199"), "9999", False),
    (("10000", "14199"), "1011", False),
    (("10000", "14199"), "101150", False),
    (("10000", "14199"), "10115-2", True),
    (("10000", "14199"), "101 15", True),
    (("010", "019"), "01067", False),
    (("01000", "01999"), "01067", True),
    (("EC1", "EC4"), "ec1a 1bb", True),
    (("EC1", "EC4"), "EC4Y 0AB", True),
    (("EC1", "EC4"), "EC5", False),
    (("EC1", "EC4"), "E1 6AN", False),
    (("SW1", "SW4"), "SW1A 2AA", True),
    (("SW1", "SW4"), "SW4 6LA", True),
    (("SW1", "SW4"), "SW11 2AA", False),
    (("KY1", "KY4"), "KY1 1AA", True),
    (("KY1", "KY4"), "ky11 1aa", False),
    (("EH1", "EH55"), "EH3 9QN", True),
    (("EH1", "EH55"), "EH55 8PX", True),
    (("EH1", "EH55"), "EH12", True),
    (("EH9", "EH12"), "EH99 1AA", False),
    (("EH9", "EH12"), "EH8 8AA", False),
    (("D01", "D24"), "D02 X285", True),
    (("D01", "D24"), "D26 X285", False),
    (("C1000", "C1499"), "C1425", True),
    (("1000", "3999"), "10012", False),
    (("1000", "3999"), "1012 AB", True),
    (("K1A", "K2Z"), "k1a 0b1", True),
    (("K1A", "K2Z"), "K3A 1A1", False),
    (("06000", "06999"), "06902", True),
    (("06000", "06999"), "6902", False),
    (("99500", "99999"), "99501-1234", True),
    (("1000 AA", "1099 ZZ"), "1012 NX", True),
    (("1000 AA", "1099 ZZ"), "1100NX", False),
    (("K1A", "K4Z"), "K2P 1L4", True),
    (("SW1", "SW1"), "SW1A 2AA", True),
    (("SW1", "SW1"), "SW11 2AA", False),
    (("PA67", "PA67"), "PA6 7LN", False),
    (("KW15", "KW17"), "KW17 1AA", True),
    (("KW15", "KW17"), "KW18 1AA", False),
    (("BL1", "BL99"), "BL8 3DE", True),
    (("BL1", "BL99"), "BL11 3DE", True),
    (("KA26", "KA26"), "KA27 8SQ", False),
]


@pytest.mark.parametrize(("ends", "code", "right"), LIES)
def test_a_code_lies_between_as_its_post_office_would_say(
    ends: tuple[str, str], code: str, right: bool
) -> None:
    assert lies_between(*bounds_of(*ends))(code) is right


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        ("1000", "14199", "with as many characters"),
        ("14199", "10000", "nothing can lie"),
        ("EH12", "EH9", "nothing can lie"),
        ("EH1", "KY16", "districts of one area"),
    ],
)
def test_bounds_between_which_nothing_lies_are_refused(low: str, high: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        bounds_of(low, high)


def test_a_territory_may_be_a_range_of_postal_codes() -> None:
    text = SOUND.replace("    country: text ", "    postal_code: text\n    country: text ", 1)
    text = text.replace(
        "  territories:\n",
        "  territories:\n    - name: Berlin\n      when: {field: profile.postal_code, op: between, "
        'value: ["10000", "14199"]}\n      to: {sdr: europe-sdr}\n',
        1,
    )
    assert next(rule.name for rule in agreement_of(text).routing.territories) == "Berlin"
