"""From the agreement as written to the agreement as asked: closures and tables, made once.

The order of keys in the file has no meaning, so everything that comes from a mapping is compiled in
the order of its names (fit criteria: by field, most points first); lists keep their order.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from baton.agreement.compiled.agreement import CompiledAgreement, Levels
from baton.agreement.compiled.calendars import Calendar
from baton.agreement.compiled.conditions import Condition, compile_condition
from baton.agreement.compiled.engagement import ActRule, Engagement, Group, ScannerRule
from baton.agreement.compiled.fit import Fit, FitRule
from baton.agreement.compiled.goals import Goal
from baton.agreement.compiled.holdout import Holdout
from baton.agreement.compiled.levels import LEVELS, Band
from baton.agreement.compiled.lifecycle import Gate, Lifecycle
from baton.agreement.compiled.synonyms import Synonyms, as_word
from baton.agreement.compiler.calendars import compile_calendar
from baton.agreement.compiler.consent import compile_consent
from baton.agreement.compiler.pools import compile_people, compile_pool
from baton.agreement.compiler.recycling import compile_recycling
from baton.agreement.compiler.routing import compile_routing
from baton.agreement.compiler.slas import compile_slas
from baton.agreement.condition_fields import Field, FieldSources, catalogue_of
from baton.agreement.model.agreement import Agreement
from baton.agreement.model.condition import ConditionModel, tests_in
from baton.agreement.model.definitions import LevelsModel, SynonymsModel
from baton.agreement.model.engagement import ActModel
from baton.agreement.quantities import MICRO
from baton.agreement.wall_time import zone_named
from baton.contracts.leads import Stage

CONTENT_STAGES = ("awareness", "consideration", "decision")


def fields_of(model: Agreement) -> dict[str, Field]:
    """The fields that this agreement's conditions may ask."""
    levels = model.definitions.levels
    purposes: dict[str, tuple[str, ...]] = {}
    for rule in (model.consent.hand_off, model.consent.nurture):
        purposes[rule.purpose] = tuple(
            dict.fromkeys((*purposes.get(rule.purpose, ()), *rule.channels))
        )
    sources = FieldSources(
        profile={name: kind.value for name, kind in model.definitions.profile.items()},
        acts=tuple(model.definitions.acts),
        topics=tuple(model.definitions.topics),
        content_stages=CONTENT_STAGES,
        levels=LEVELS,
        grades=tuple(fit + act for fit in levels.fit for act in levels.engagement),
        segments=tuple(segment.name for segment in model.definitions.segments),
        stages=tuple(stage.value for stage in Stage),
        reasons=tuple(model.recycling.reasons),
        purposes=purposes,
    )
    return catalogue_of(sources)


def compile_agreement(model: Agreement, version: str) -> CompiledAgreement:
    """Compile a checked agreement. Raises ``KeyError`` or ``ValueError`` where it was not checked
    and is wrong."""
    return _Compiler(model).compiled(version)


def _synonyms(model: SynonymsModel) -> Synonyms:
    acts, profile = (
        {as_word(text): name for text, name in words.items()}
        for words in (model.acts, model.profile)
    )
    return Synonyms(acts=acts, profile=dict(model.profile) | profile)


class _Compiler:
    def __init__(self, model: Agreement) -> None:
        self.model = model
        self.zone: ZoneInfo = zone_named(model.timezone)
        self.fields = fields_of(model)
        self.calendars = {
            name: compile_calendar(name, calendar, self.zone)
            for name, calendar in sorted(model.calendars.items())
        }
        self.house: Calendar = self.calendars[model.calendar]

    def compiled(self, version: str) -> CompiledAgreement:
        model = self.model
        lifecycle = self._lifecycle()
        people = compile_people(model.people, model.pools)
        pools = {
            name: compile_pool(name, pool, people, model.calendar)
            for name, pool in sorted(model.pools.items())
        }
        return CompiledAgreement(
            version=version,
            name=model.name,
            timezone=model.timezone,
            raw=model,
            calendar=self.house,
            calendars=self.calendars,
            fit=self._fit(),
            engagement=self._engagement(),
            levels=compile_levels(model.definitions.levels).bound_to(lifecycle),
            lifecycle=lifecycle,
            people=people,
            pools=pools,
            routing=compile_routing(model, people, pools, self.fields, self.zone),
            slas=compile_slas(model.slas, self.calendars, self.house),
            recycling=compile_recycling(model.recycling, self.house),
            goals=self._goals(),
            consent=compile_consent(model.consent),
            roles=model.definitions.roles,
            role_field=model.definitions.role_field,
            segments=tuple(
                (segment.name, self._condition(segment.when))
                for segment in model.definitions.segments
            ),
            synonyms=_synonyms(model.definitions.synonyms),
            effective_at_ms=moment_ms(model.effective_at, self.zone)
            if model.effective_at
            else None,
        )

    def _condition(self, model: ConditionModel) -> Condition:
        return compile_condition(model, self.fields, self.zone)

    def _fit(self) -> Fit:
        return Fit(
            [
                FitRule(
                    name=name,
                    points_micro=fit_rule.points,
                    condition=self._condition(fit_rule.when),
                    keys=tuple(
                        sorted(
                            {
                                key
                                for test in tests_in(fit_rule.when)
                                if (key := self.fields[test.field].profile_key)
                            }
                        )
                    ),
                )
                for name, fit_rule in self.model.fit.items()
            ]
        )

    def _engagement(self) -> Engagement:
        model = self.model.engagement
        groups = {
            name: Group(
                name=name,
                half_life_ms=group.half_life,
                window_ms=group.window,
                cap_micro=group.cap,
                per_day=group.per_day,
            )
            for name, group in sorted(model.groups.items())
        }
        scanner = model.scanner
        return Engagement(
            groups=groups,
            acts={name: plain_rule(name, act) for name, act in sorted(model.acts.items())},
            exceptions={
                name: exception_rules(name, act)
                for name, act in sorted(model.acts.items())
                if act.exceptions
            },
            scanner=ScannerRule(
                acts=frozenset(scanner.acts), clicks=scanner.clicks, within_ms=scanner.within
            )
            if scanner
            else None,
            count_automatic=model.count_automatic,
        )

    def _lifecycle(self) -> Lifecycle:
        model = self.model.lifecycle
        return Lifecycle(
            bridge=model.bridge,
            poor_fit=frozenset(model.poor_fit),
            gates=tuple(
                Gate(name=name, condition=self._condition(gate.when), fast_track=gate.fast_track)
                for name, gate in sorted(model.gates.items())
            ),
            drip_per_day=model.drip,
            asks=frozenset(
                test.field for gate in model.gates.values() for test in tests_in(gate.when)
            ),
            settle_ms=model.settle,
            holdout=Holdout(percent=model.holdout),
        )

    def _goals(self) -> dict[str, Goal]:
        return {
            name: Goal(
                name=name,
                label=goal.label or name,
                side=goal.side,
                metric=goal.metric.value,
                target=goal.target,
                per=goal.per.value,
                segment=goal.segment,
                calendar=goal.calendar or self.model.calendar,
                quota=goal.quota,
                currency=goal.currency,
                warn_below_ppm=goal.warn_below * MICRO // 100,
            )
            for name, goal in sorted(self.model.goals.items())
        }


def compile_levels(model: LevelsModel) -> Levels:
    """The level table of the definitions."""
    fit, acts = (
        tuple(
            Band(name=name, enter_micro=band.enter, exit_micro=band.leaves)
            for name, band in model.best_first(which)
        )
        for which in ("fit", "engagement")
    )
    return Levels(fit_bands=fit, engagement_bands=acts, matrix=model.matrix, dwell_ms=model.dwell)


def plain_rule(act: str, model: ActModel) -> ActRule:
    """An act's rule where no exception fits."""
    return ActRule(
        name=act,
        act=act,
        group=model.group,
        points_micro=model.points,
        per_day=model.per_day,
        fast_track=model.fast_track,
        max_age_ms=model.max_age,
    )


def exception_rules(act: str, model: ActModel) -> tuple[ActRule, ...]:
    """An act's exceptions, in order; they share the act's group, daily limit and fast track."""
    rules = []
    for exception in model.exceptions:
        rules.append(
            ActRule(
                name=f"{act} ({', '.join(filter(None, (exception.stage, *exception.topics)))})",
                act=act,
                group=model.group,
                points_micro=exception.points,
                per_day=model.per_day,
                fast_track=model.fast_track,
                max_age_ms=model.max_age,
                stage=exception.stage,
                topics=exception.topics,
            )
        )
    return tuple(rules)


def moment_ms(moment: datetime, zone: ZoneInfo) -> int:
    """A moment as written; without an offset it is in ``zone``."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return int(aware.astimezone(UTC).timestamp() * 1000)
