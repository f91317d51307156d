"""Signing and publishing: refused until both sides signed this very version; nothing is written
twice."""

from pathlib import Path

import pytest

from baton.agreement.canonical import canonical_text, version_of
from baton.agreement.publish import (
    NotPublished,
    Outcome,
    Written,
    approve,
    book_of,
    publish,
    put_in_force,
)
from baton.agreement.reference import SETTLE_MS, SINCE_EVER
from baton.agreement.source.read import agreement_of
from baton.cli.agreement_words import act_words
from baton.cli.signer_account import account_of
from baton.contracts.codec import codec_for
from baton.contracts.reference_records import AgreementRecord
from baton.settings import Settings

YAML = (Path(__file__).resolve().parents[2] / "examples" / "agreements" / "demo.yaml").read_text(
    encoding="utf-8"
)
ONE = agreement_of(YAML)
TWO = agreement_of(YAML.replace("points: 40, group: intent", "points: 45, group: intent"))
V1, V2 = version_of(canonical_text(ONE)), version_of(canonical_text(TWO))


class Topic:
    """The topic in memory; each record comes a second after the one before."""

    def __init__(self) -> None:
        self.written: list[Written] = []

    def read(self) -> list[Written]:
        return list(self.written)

    def write(self, record: AgreementRecord) -> None:
        kept = codec_for(AgreementRecord).decode(codec_for(AgreementRecord).encode(record))
        self.written.append(
            Written(record=kept, at_ms=1_000 * (len(self.written) + 1), offset=len(self.written))
        )

    def acts(self) -> list[tuple[str, str, str | None]]:
        return [
            (record.record.kind, record.record.version, record.record.side)
            for record in self.written
        ]


def test_a_publication_waits_for_both_signatures() -> None:
    topic = Topic()
    with pytest.raises(
        NotPublished,
        match=(
            f"version {V1} is not signed by marketing and sales yet: baton agreement approve FILE "
            "--as marketing"
        ),
    ):
        publish(topic, ONE, now_ms=0)
    approve(topic, ONE, side="marketing", by="mona")
    approve(topic, TWO, side="sales", by="sam")
    with pytest.raises(NotPublished, match=f"version {V1} is not signed by sales yet"):
        publish(topic, ONE, now_ms=0)
    assert approve(topic, ONE, side="sales", by="sam") == Outcome(version=V1, changed=True)
    assert publish(topic, ONE, now_ms=0, source=YAML) == Outcome(
        version=V1, changed=True, from_ms=SINCE_EVER
    )
    assert topic.acts() == [
        ("approved", V1, "marketing"),
        ("approved", V2, "sales"),
        ("approved", V1, "sales"),
        ("published", V1, None),
    ]
    assert topic.written[-1].record.source == YAML
    assert book_of(topic.read()).at(0).version == V1  # type: ignore[union-attr]


def test_signing_and_publishing_again_change_nothing() -> None:
    topic = Topic()
    put_in_force(topic, ONE, by="mona", now_ms=0)
    acts = topic.acts()
    assert approve(topic, ONE, side="sales", by="again") == Outcome(version=V1, changed=False)
    assert publish(topic, ONE, now_ms=0) == Outcome(version=V1, changed=False, from_ms=SINCE_EVER)
    assert put_in_force(topic, ONE, by="mona", now_ms=0) == Outcome(
        version=V1, changed=False, from_ms=SINCE_EVER
    )
    assert topic.acts() == acts


def test_only_two_sides_can_sign() -> None:
    with pytest.raises(NotPublished, match='"management" is no side of the agreement'):
        approve(Topic(), ONE, side="management", by="max")


def test_an_earlier_version_can_be_brought_back_without_new_signatures() -> None:
    topic = Topic()
    put_in_force(topic, ONE, by="mona", now_ms=0)
    put_in_force(topic, TWO, by="mona", now_ms=0)
    outcome = publish(topic, ONE, now_ms=0)
    assert outcome == Outcome(version=V1, changed=True, from_ms=topic.written[-1].at_ms + SETTLE_MS)
    assert [term.version for term in book_of(topic.read()).terms()] == [V1, V2, V1]
    ids = [record.record.record_id for record in topic.written]
    assert len(set(ids)) == len(ids), "compaction must not remove anything of the history"


def test_one_person_signs_one_side_however_the_name_is_written() -> None:
    topic = Topic()
    approve(topic, ONE, side="marketing", by=" Mona  Berg ", account="mona on desk-1")
    for name in ("Mona Berg", "mona berg", "MONA\u00a0BERG"):
        with pytest.raises(NotPublished, match="signed for marketing by Mona Berg, and one person"):
            approve(topic, ONE, side="sales", by=name)
    with pytest.raises(NotPublished, match="nobody is named who signs for sales"):
        approve(topic, ONE, side="sales", by="  ")
    assert approve(topic, TWO, side="sales", by="Mona Berg").changed, "of another version"
    assert approve(topic, ONE, side="sales", by="Sven").changed
    signed = [act_words(record) for record in topic.written]
    assert signed[0] == "signed for marketing by Mona Berg (mona on desk-1)"
    assert signed[-1] == "signed for sales by Sven"


def test_who_signs_is_known_as_the_way_in_knows_them(monkeypatch: pytest.MonkeyPatch) -> None:
    secured = Settings(
        bootstrap="b:1", security_protocol="SASL_SSL", sasl_username="mona", sasl_password="x"
    )
    assert account_of(secured) == "mona at the brokers"
    monkeypatch.setattr("baton.cli.signer_account.getpass.getuser", lambda: "desk")
    monkeypatch.setattr("baton.cli.signer_account.platform.node", lambda: "host-1")
    assert account_of(Settings(bootstrap="b:1")) == "desk on host-1"


def test_a_later_moment_is_respected_and_a_past_one_means_at_once() -> None:
    topic = Topic()
    put_in_force(topic, ONE, by="mona", now_ms=0)
    for side in ("marketing", "sales"):
        approve(topic, TWO, side=side, by=f"{side}-lead")
    assert publish(topic, TWO, now_ms=5_000, effective_at_ms=900_000).from_ms == 900_000
    past = Topic()
    put_in_force(past, ONE, by="mona", now_ms=0)
    for side in ("marketing", "sales"):
        approve(past, TWO, side=side, by=f"{side}-lead")
    assert (
        publish(past, TWO, now_ms=5_000_000, effective_at_ms=4_000_000).from_ms
        == past.written[-1].at_ms + SETTLE_MS
    )


def test_an_agreement_that_says_when_it_takes_effect_is_believed() -> None:
    dated = agreement_of(
        YAML.replace("calendar: always\n", "calendar: always\neffective_at: 2030-01-01 00:00\n", 1)
    )
    topic = Topic()
    put_in_force(topic, ONE, by="mona", now_ms=0)
    assert put_in_force(topic, dated, by="mona", now_ms=0).from_ms == 1_893_456_000_000


def test_a_source_that_is_too_long_is_left_out_and_the_text_kept() -> None:
    topic = Topic()
    put_in_force(topic, ONE, by="mona", now_ms=0, source="#" * 600_000)
    assert topic.written[-1].record.source is None
    assert topic.written[-1].record.text == canonical_text(ONE)
