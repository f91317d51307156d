"""``baton agreement publish``: put a signed agreement in force, for everybody or as a
challenger."""

from pathlib import Path

import typer

from baton.agreement.model.agreement import Agreement
from baton.agreement.publish import KafkaAgreementTopic, NotPublished, publish, wall_ms
from baton.agreement.publish_challenger import publish_challenger, share_ppm_of
from baton.agreement.source.read import read_agreement
from baton.cli.agreement_words import since_words
from baton.cli.cluster import cluster_settings
from baton.cli.moments import moment_ms, written

_FILE = typer.Argument(..., exists=True, dir_okay=False, help="The agreement (YAML).")
_CHALLENGER = typer.Option(
    None, "--challenger", help="Let it score such a share of the accounts (20%), beside."
)
_UNTIL = typer.Option(None, "--until", help="With --challenger: when it ends (ISO, UTC).")


def publish_(
    file: Path = _FILE,
    effective_at: str | None = typer.Option(
        None, "--effective-at", help="Not before this moment (ISO, UTC); without it at the soonest."
    ),
    challenger: str | None = _CHALLENGER,
    until: str | None = _UNTIL,
) -> None:
    """Put a signed agreement in force. Refused until both sides have signed this very version and
    it has no errors.

    With --challenger it scores a share of the accounts, by their hash, beside the one in force,
    until a fixed end; `baton challenger` has the verdict. It may change one way of scoring only.
    """
    model = read_agreement(file)
    if challenger is not None:
        _challenge(model, challenger, until)
        return
    if effective_at and model.effective_at:
        raise NotPublished(
            "the agreement itself says when it takes effect, and that is what was signed: leave "
            "--effective-at out"
        )
    wanted = moment_ms(effective_at) if effective_at else None
    topic = KafkaAgreementTopic(cluster_settings())
    source = file.read_text(encoding="utf-8-sig")
    outcome = publish(topic, model, now_ms=wall_ms(), source=source, effective_at_ms=wanted)
    when = since_words(outcome.from_ms)
    typer.echo(
        f"version {outcome.version} "
        f"{'is published: ' if outcome.changed else 'was published already: '}in force {when}"
    )


def _challenge(model: Agreement, share: str, until: str | None) -> None:
    try:
        share_ppm = share_ppm_of(share)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--challenger") from None
    if until is None:
        raise typer.BadParameter("a challenger needs a fixed end", param_hint="--until")
    begun = publish_challenger(
        KafkaAgreementTopic(cluster_settings()),
        model,
        share_ppm=share_ppm,
        until_ms=moment_ms(until),
        now_ms=wall_ms(),
    )
    one = begun.challenge
    typer.echo(
        f"challenger {one.version} scores {one.share_ppm / 10_000:g}% of the accounts from "
        f"{written(one.from_ms)} until {written(one.until_ms)}; verdict: baton challenger"
    )
