"""Training: where it is missing, what became of requests for help, and who was trained, front and back.

Nobody is named or ranked: figures about fewer than five colleagues are hidden.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import ScalarSelect, and_, select

from domain.colleagues.needs import Missing, Need, needs
from domain.loyalty import shown, summable
from domain.rates import Rate, Spread, comparable, hidden, rate, spread
from projections.base import Source
from projections.help_answers import HelpFigures, answers
from projections.period import Period, Report
from projections.staff import Staff, read_staff
from projections.training_rows import Training, help_requests, recovery_teams, training_gaps, trainings

DAY: Final = timedelta(days=1)


class TopicGap(BaseModel):
    """How often nobody had been trained in this topic. None: nobody said in which."""

    topic: str | None
    topic_class: str | None
    """As the last request for help in this topic said."""
    obstacles: int


class ClassGap(BaseModel):
    """How often training of this class was missing. None: of topics whose class nobody said."""

    topic_class: str | None
    obstacles: int


class TeamGap(BaseModel):
    """How often a team was not trained in a topic; `needs`: how often three times within 60 days."""

    team: str
    topic: str
    obstacles: int
    needs: int


class FormatFigures(BaseModel):
    """How many trainings had this form."""

    format: str
    n: int


class ClassCoverage(BaseModel):
    """How many of the colleagues of a role class were trained in anything."""

    role_class: str
    trained: Rate


class TrainingReport(Report):
    """Training and help. `n` counts the obstacles of missing training.

    Teams, kinds of help, formats and role classes of fewer than 5 colleagues are hidden, and so is what would tell
    of them by taking others from a sum; `hidden_...` say how many. `front_minus_back` is None unless each has 20
    colleagues. `needs_met`: of the needs of all teams those after which somebody of the team was trained in the
    topic, and `days_to_training` how long that took.
    """

    by_class: list[ClassGap]
    by_topic: list[TopicGap]
    by_team: list[TeamGap]
    hidden_teams: int
    needs_met: Rate
    days_to_training: Spread
    help: HelpFigures | None
    """None where fewer than 5 colleagues asked."""
    help_by_kind: list[HelpFigures]
    hidden_kinds: int
    completed: int | None
    """None where fewer than 5 colleagues were trained."""
    formats: list[FormatFigures]
    hidden_formats: int
    coverage: list[ClassCoverage]
    hidden_classes: int
    front_minus_back: float | None


def report(source: Source, period: Period) -> TrainingReport:
    """Where training was missing, asked for and completed in this period."""
    staff = read_staff(source, period.as_of)
    gaps, done = _gaps(source, period, staff), _trainings(source, period, staff)
    return TrainingReport.model_validate(
        {
            "since": period.since,
            "until": period.until,
            "as_of": period.as_of,
            **_missing(gaps, done, _classes_of(source, period), staff),
            **answers(source, period),
            **_completed(done, staff),
        }
    )


# Where it is missing.


def needs_of(source: Source, period: Period) -> list[Need]:
    """Where training was missing three times on one team and topic within 60 days, counted by position (D9)."""
    return _needs(_gaps(source, period, read_staff(source, period.as_of)))


def _needs(gaps: Iterable[Mapping[str, Any]]) -> list[Need]:
    """Counted over everything until then: a count may have begun before the period."""
    return needs(
        Missing(one["position"], one["team"], one["topic"], one["occurred_at"])
        for one in gaps
        if one["team"] is not None and one["topic"] is not None
    )


def _gaps(source: Source, period: Period, staff: Staff) -> list[dict[str, Any]]:
    """Every obstacle of missing training until then, with its team; `counted` are those of the period."""
    of = training_gaps.c
    counted = and_(*period.of(of.occurred_at)).label("counted")
    columns = (of.position, of.met_by, of.topic, of.occurred_at, counted, _case_team(source).label("case_team"))
    query = select(*columns).where(*source.of(Training, training_gaps), of.occurred_at <= period.as_of)
    rows = [dict(row._mapping) for row in source.conn.execute(query.order_by(of.position))]
    for row in rows:
        row["team"] = staff.team_at(row["met_by"], row["position"]) or row["case_team"]
    return rows


def _case_team(source: Source) -> ScalarSelect[str]:
    """The team that had the recovery when the obstacle was met."""
    of, gap = recovery_teams.c, training_gaps.c
    same = (of.stream_id == gap.stream_id, of.recovery_id == gap.recovery_id, of.position < gap.position)
    query = select(of.team).where(*source.of(Training, recovery_teams), *same)
    return query.order_by(of.position.desc()).limit(1).correlate(training_gaps).scalar_subquery()


def _classes_of(source: Source, period: Period) -> dict[str, str]:
    """The class of each topic, as it was said last."""
    of = help_requests.c
    query = select(of.topic, of.topic_class).where(*source.of(Training, help_requests))
    query = query.where(of.topic_class.is_not(None), of.occurred_at <= period.as_of).order_by(of.position)
    return {row.topic: row.topic_class for row in source.conn.execute(query)}


def _missing(
    gaps: Sequence[Mapping[str, Any]], done: Sequence[Mapping[str, Any]], classes: Mapping[str, str], staff: Staff
) -> dict[str, Any]:
    met = [one for one in gaps if one["counted"]]
    positions = {one["position"] for one in met}
    found = [need for need in _needs(gaps) if need.position in positions]
    teams = staff.teams()
    seen = {one["team"] for one in met if one["team"] is not None}
    kept = set(shown({team: teams.get(team, set()) for team in seen | teams.keys()}))
    days = [day for need in found if (day := _days_until(need, done)) is not None]
    return {
        "n": len(met),
        "by_class": _by_class(met, classes),
        "by_topic": _by_topic(met, classes),
        "by_team": _by_team(met, found, kept),
        "hidden_teams": len(seen - kept),
        "needs_met": rate(len(days), len(found)),
        "days_to_training": spread(days),
    }


def _by_class(met: Iterable[Mapping[str, Any]], classes: Mapping[str, str]) -> list[ClassGap]:
    counts = Counter(classes.get(one["topic"]) for one in met)
    return [ClassGap(topic_class=name, obstacles=n) for name, n in _most_first(counts)]


def _by_topic(met: Iterable[Mapping[str, Any]], classes: Mapping[str, str]) -> list[TopicGap]:
    counts = Counter(one["topic"] for one in met)
    return [TopicGap(topic=one, topic_class=classes.get(one), obstacles=n) for one, n in _most_first(counts)]


def _by_team(met: Iterable[Mapping[str, Any]], found: Iterable[Need], kept: set[str]) -> list[TeamGap]:
    counts = Counter((one["team"], one["topic"]) for one in met if one["team"] in kept and one["topic"])
    asked = Counter((need.team, need.topic) for need in found)
    return [
        TeamGap(team=team, topic=topic, obstacles=n, needs=asked[team, topic])
        for (team, topic), n in _most_first(counts)
    ]


def _days_until(need: Need, done: Iterable[Mapping[str, Any]]) -> float | None:
    """After how many days somebody of the team was trained in what it needed."""
    after = [
        one["occurred_at"] - need.occurred_at
        for one in done
        if (one["team"], one["topic"]) == (need.team, need.topic) and one["occurred_at"] >= need.occurred_at
    ]
    return min(after) / DAY if after else None


def _most_first(counts: Mapping[Any, int]) -> list[tuple[Any, int]]:
    return sorted(counts.items(), key=lambda one: (-one[1], str(one[0])))


# Who was trained.


def _trainings(source: Source, period: Period, staff: Staff) -> list[dict[str, Any]]:
    """Every training until then, with the team of whoever got it; `counted` are those of the period."""
    of = trainings.c
    counted = and_(*period.of(of.occurred_at)).label("counted")
    query = select(of.stream_id, of.position, of.topic, of.format, of.occurred_at, counted)
    query = query.where(*source.of(Training, trainings), of.occurred_at <= period.as_of).order_by(of.position)
    rows = [dict(row._mapping) for row in source.conn.execute(query)]
    return [{**row, "team": staff.team_at(row["stream_id"], row["position"])} for row in rows]


def _completed(done: Sequence[Mapping[str, Any]], staff: Staff) -> dict[str, Any]:
    counted = [one for one in done if one["counted"]]
    forms: dict[str, set[UUID]] = {}
    for one in counted:
        forms.setdefault(one["format"], set()).add(one["stream_id"])
    kept = shown(forms)
    counts = Counter(one["format"] for one in counted if one["format"] in kept)
    trained = {one["stream_id"] for one in counted}
    classes = {name: some for name, some in sorted(staff.classes().items()) if not hidden(len(some))}
    coverage = {name: rate(len(some & trained), len(some)) for name, some in classes.items()}
    return {
        "completed": len(counted) if summable(forms, kept) else None,
        "formats": [FormatFigures(format=form, n=n) for form, n in _most_first(counts)],
        "hidden_formats": len(forms) - len(kept),
        "coverage": [ClassCoverage(role_class=name, trained=one) for name, one in coverage.items()],
        "hidden_classes": len(staff.classes()) - len(classes),
        "front_minus_back": _gap(coverage),
    }


def _gap(coverage: Mapping[str, Rate]) -> float | None:
    """By how much the front is trained more than the back; None where too few are compared."""
    front, back = coverage.get("front"), coverage.get("back")
    if front is None or back is None or not comparable(front.n, back.n):
        return None
    return round((front.share or 0.0) - (back.share or 0.0), 4)
