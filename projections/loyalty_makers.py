"""Loyalty makers: which role classes and roles make customers more content. No person is named or ranked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import and_, func, select

from domain.loyalty import credited, shown, summable
from domain.rates import Rate, hidden, rate
from projections.base import Source
from projections.loyalty import Loyalty, loyalty_acts
from projections.period import Period, Report
from projections.satisfaction import SatisfactionState, satisfaction_state
from projections.statements import Statements, moved_by, statements

Role = tuple[str, str]
"""A role class and a role of it."""
_AT_A_TIME = 5_000


class Makers(BaseModel):
    """What the colleagues of a role class, or of one role of it, did for loyalty.

    `colleagues` counts different ones; a key that posts for a role counts as one. Lifts are hundredths of a point:
    `lift_inferred` is what the acts themselves moved, `lift_stated` what customers' own better words moved, shared
    equally among what had been done for them since the word before. What sank a score is nobody's.
    """

    role_class: str
    role: str | None
    colleagues: int
    acts: int
    lifting_acts: int
    gestures: int
    unasked: int
    avoided_contacts: int
    gestures_per_100_relationships: float | None
    lift_inferred: int
    lift_stated: int


class MakersReport(Report):
    """Who makes loyalty, by role class and by role. `n` counts the acts of the role classes shown.

    Groups of fewer than 5 colleagues are hidden (`hidden_classes` and `hidden_roles` say how many), and so is any
    sum from which such a group could be worked out. For that reason teams are not told: a team less one of its
    roles could be a single colleague.
    """

    relationships: int
    classes: list[Makers]
    roles: list[Makers]
    everyone: Makers | None
    back_office: Rate | None
    """Its share in the acts that lifted a score; None where it is hidden, or all the others are."""
    hidden_classes: int
    hidden_roles: int


@dataclass
class Sum:
    """What a group did so far."""

    makers: set[UUID] = field(default_factory=set)
    acts: int = 0
    lifting_acts: int = 0
    gestures: int = 0
    unasked: int = 0
    avoided_contacts: int = 0
    lift_inferred: int = 0
    lift_stated: int = 0

    def add(self, act: Any, stated: int) -> None:
        """One act more, with what the customer's word credits to it."""
        inferred = max(0, int(act.moved))
        self.makers.add(act.maker)
        self.acts += 1
        self.lifting_acts += inferred + stated > 0
        self.gestures += act.gesture is not None
        self.unasked += bool(act.unasked)
        self.avoided_contacts += act.avoided_contacts or 0
        self.lift_inferred += inferred
        self.lift_stated += stated

    def told(self, relationships: int, role_class: str, role: str | None = None) -> Makers:
        """As it is reported."""
        per_100 = round(100 * self.gestures / relationships, 2) if relationships else None
        counted = {name: value for name, value in vars(self).items() if name != "makers"}
        return Makers(
            role_class=role_class,
            role=role,
            colleagues=len(self.makers),
            gestures_per_100_relationships=per_100,
            **counted,
        )


def report(source: Source, period: Period) -> MakersReport:
    """What colleagues did for loyalty in this period, by role class and role."""
    roles, classes, everyone = _sums(source, period)
    many = _relationships(source)
    makers = {one: total.makers for one, total in classes.items()}
    kept = [one for one in makers if not hidden(len(makers[one]))]
    kept_roles = [role for one in kept for role in _shown_roles(roles, one)]
    whole = bool(kept) and summable(makers, kept)
    told = [classes[one].told(many, one) for one in kept]
    return MakersReport(
        since=period.since,
        until=period.until,
        as_of=period.as_of,
        n=sum(one.acts for one in told),
        relationships=many,
        classes=_best_first(told),
        roles=_best_first([roles[role].told(many, *role) for role in kept_roles]),
        everyone=everyone.told(many, "all") if whole else None,
        back_office=_back_office(told),
        hidden_classes=len(classes) - len(kept),
        hidden_roles=len(roles) - len(kept_roles),
    )


def _sums(source: Source, period: Period) -> tuple[dict[Role, Sum], dict[str, Sum], Sum]:
    roles: dict[Role, Sum] = {}
    classes: dict[str, Sum] = {}
    everyone = Sum()
    for act, stated in _acts(source, period):
        sums = (
            everyone,
            classes.setdefault(act.role_class, Sum()),
            roles.setdefault((act.role_class, act.role), Sum()),
        )
        for one in sums:
            one.add(act, stated)
    return roles, classes, everyone


def _acts(source: Source, period: Period) -> Iterator[tuple[Any, int]]:
    """Each act of the period, with its share of the customer's better words."""
    words = _words(source, period)
    for stream_id, told in groupby(_told(source, period), attrgetter("stream_id")):
        acts = list(told)
        # All of them share in a word, those before the period as well.
        shares = credited([act.position for act in acts], words.get(stream_id, ()))
        for act in acts:
            if act.counted:
                yield act, shares.get(act.position, 0)


def _told(source: Source, period: Period) -> Iterator[Any]:
    of = loyalty_acts.c
    counted = and_(*period.of(of.occurred_at)).label("counted")
    moved = moved_by(source, of.stream_id, of.position).label("moved")
    about = (of.role, of.role_class, of.maker, of.gesture, of.unasked, of.avoided_contacts)
    query = (
        select(of.stream_id, of.position, *about, counted, moved)
        .where(*source.of(Loyalty, loyalty_acts), of.occurred_at <= period.as_of)
        .order_by(of.stream_id, of.position)
    )
    yield from source.conn.execute(query.execution_options(yield_per=_AT_A_TIME))


def _words(source: Source, period: Period) -> Mapping[UUID, Sequence[tuple[int, int]]]:
    """How much each customer's words moved his score, by position."""
    of = statements.c
    moved = moved_by(source, of.stream_id, of.position).label("moved")
    query = (
        select(of.stream_id, of.position, moved)
        .where(*source.of(Statements, statements), of.occurred_at <= period.as_of)
        .order_by(of.stream_id, of.position)
    )
    words: dict[UUID, list[tuple[int, int]]] = {}
    for stream_id, position, lift in source.conn.execute(query):
        words.setdefault(stream_id, []).append((position, int(lift)))
    return words


def _relationships(source: Source) -> int:
    query = select(func.count()).select_from(satisfaction_state)
    return source.conn.execute(query.where(*source.of(SatisfactionState, satisfaction_state))).scalar_one()


def _shown_roles(roles: Mapping[Role, Sum], role_class: str) -> list[Role]:
    # In an order of names, so that of two groups of one size it is always the same that is hidden.
    return shown({role: roles[role].makers for role in sorted(roles) if role[0] == role_class})


def _best_first(makers: list[Makers]) -> list[Makers]:
    return sorted(makers, key=lambda one: (-(one.lift_inferred + one.lift_stated), one.role_class, one.role or ""))


def _back_office(classes: list[Makers]) -> Rate | None:
    lifts = {one.role_class: one.lifting_acts for one in classes}
    if "back" not in lifts or len(lifts) == 1:
        return None
    return rate(lifts["back"], sum(lifts.values()))
