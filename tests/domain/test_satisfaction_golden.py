"""The golden stories of the satisfaction model, term by term."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from domain.clocks import DeadlineMissed, DeadlineSet, SilenceNoticed
from domain.kinds import AMENDS, Event, Fact
from domain.milestones import RecoveryReopened, SatisfactionStated
from domain.moves.apology import ApologyMade
from domain.moves.compensation import CompensationDelivered, CompensationGranted
from domain.moves.contact import CustomerContactedAgain
from domain.moves.failure import FailureReported
from domain.moves.gesture import GestureMade
from domain.moves.handling import RecoveryHandedOff
from domain.moves.loyalty import CustomerLost
from domain.moves.obstacle import ObstacleEncountered
from domain.moves.outcome import RecoveryResolved
from domain.moves.remedy import RemedyDelivered, RemedyFailed, RemedyPromised
from domain.moves.treatment import TreatmentReported
from domain.satisfaction import START, Score, Term, step
from domain.values import Money
from tests.support.given import CUSTOMER, named_id
from tests.support.shared import SHARED, design

GOLDEN = "satisfaction-golden.json"
BEGINNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LABELS = {
    "PoorTreatmentReported": "TreatmentReported",
    "ProactiveGestureMade": "GestureMade",
}
"""Names of the stories that are called otherwise here."""

Told = dict[str, Any]


def moment(minutes: int) -> datetime:
    return BEGINNING + timedelta(minutes=minutes)


def failure(told: Told) -> Iterator[Event]:
    recovery_id = named_id(told["r"])
    yield FailureReported(
        recovery_id=recovery_id,
        what="other",
        failure_kind=told["kind"],
        resource=told["resource"],
        severity=told["severity"],
        fault="firm",
        similarity_key=told["sim"],
        description="told in the story",
    )
    for name, default, clock in (("ack_due", 30, "acknowledge"), ("action_due", 60, "first_action")):
        due_at = moment(told.get(name, told["at"] + default))
        yield DeadlineSet(recovery_id=recovery_id, step=clock, due_at=due_at, standard="targets:story")


def apology(told: Told) -> Iterator[Event]:
    said = ("said", "feeling_named", "stage", "explanation", "explanation_wanted", "accepted")
    yield ApologyMade(recovery_id=named_id(told["r"]), **{name: told[name] for name in said})


def remedy(told: Told) -> Iterator[Event]:
    recovery_id, remedy_id = named_id(told["r"]), named_id(f"remedy {told['at']}")
    yield RemedyPromised(
        recovery_id=recovery_id, remedy_id=remedy_id, remedy_kind="other", repaid_by=told["repaid_by"]
    )
    yield RemedyDelivered(recovery_id=recovery_id, remedy_id=remedy_id, resolves=told["resolves"])


def remedy_failed(told: Told) -> Iterator[Event]:
    yield RemedyFailed(recovery_id=named_id(told["r"]), remedy_id=named_id("the remedy"), reason="broke again")


def compensation(told: Told) -> Iterator[Event]:
    recovery_id, compensation_id = named_id(told["r"]), named_id("compensation")
    yield CompensationGranted(
        recovery_id=recovery_id,
        compensation_id=compensation_id,
        kind="free_item",
        basis="goodwill",
        timing="now",
        value=Money(minor=900, currency="EUR"),
        pct_of_loss=told["pct_of_loss"],
    )
    yield CompensationDelivered(recovery_id=recovery_id, compensation_id=compensation_id)


def not_told(told: Told) -> Iterator[Event]:
    """Approvals have no event yet; in the one story that has one, a rule block already counts for more."""
    yield from ()


def obstacle(told: Told) -> Iterator[Event]:
    yield ObstacleEncountered(
        recovery_id=named_id(told["r"]),
        obstacle_id=named_id("obstacle"),
        kind="policy_block",
        rule_id=told["rule_id"],
    )


def treatment(told: Told) -> Iterator[Event]:
    yield TreatmentReported(recovery_id=named_id(told["r"]), treatment=told["harm"], degree=told["degree"])


def stated(told: Told) -> Iterator[Event]:
    about = {"about": "recovery", "recovery_id": named_id(told["r"])} if "r" in told else {}
    yield SatisfactionStated(instrument=told["instrument"], value=told["value"], **about)


def gesture(told: Told) -> Iterator[Event]:
    yield GestureMade(gesture_id=named_id(f"gesture {told['at']}"), kind="extra_care", degree=told["degree"])


def of_recovery(kind: type[Event], **given: Any) -> Callable[[Told], Iterator[Event]]:
    def one(told: Told) -> Iterator[Event]:
        yield kind(recovery_id=named_id(told["r"]), **given)

    return one


def reopened(told: Told) -> Iterator[Event]:
    yield RecoveryReopened(recovery_id=named_id(told["r"]), cause=told["cause"])


def silence(told: Told) -> Iterator[Event]:
    yield SilenceNoticed(recovery_id=named_id(told["r"]), silent_since=BEGINNING, n=1)


def lost(told: Told) -> Iterator[Event]:
    yield CustomerLost(basis="told_us")


LOADER: dict[str, Callable[[Told], Iterator[Event]]] = {
    "FailureReported": failure,
    "ApologyMade": apology,
    "RemedyDelivered": remedy,
    "RemedyFailed": remedy_failed,
    "CompensationDelivered": compensation,
    "CompensationApproved": not_told,
    "ObstacleEncountered": obstacle,
    "PoorTreatmentReported": treatment,
    "SatisfactionStated": stated,
    "ProactiveGestureMade": gesture,
    "CustomerContactedAgain": of_recovery(CustomerContactedAgain),
    "RecoveryHandedOff": of_recovery(RecoveryHandedOff),
    "DeadlineMissed": of_recovery(DeadlineMissed, step="first_action"),
    "RecoveryResolved": of_recovery(RecoveryResolved, how_code="done"),
    "RecoveryReopened": reopened,
    "SilenceNoticed": silence,
    "CustomerLost": lost,
}
"""How each short name of the stories is told with real events."""


def told_facts(story: Told) -> list[Fact]:
    events = [(one["at"], event) for one in story["events"] for event in LOADER[one["t"]](one)]
    return [
        Fact(
            event=event,
            stream_id=CUSTOMER,
            version=version,
            position=version,
            event_id=named_id(f"fact {version}"),
            occurred_at=moment(minutes),
            recorded_at=moment(minutes),
            actor=AMENDS,
            source="urn:test",
        )
        for version, (minutes, event) in enumerate(events, start=1)
    ]


def scored(story: Told) -> tuple[Score, list[tuple[int, Term]]]:
    """The score at the end, and every term with the minute it was made."""
    score, terms = START, []
    for fact in told_facts(story):
        score, made = step(score, fact)
        minute = int((fact.occurred_at - BEGINNING).total_seconds()) // 60
        terms += [(minute, term) for term in made]
    return score, terms


def our_label(label: str) -> str:
    return ":".join(LABELS.get(part, part) for part in label.split(":"))


def stories() -> list[Told]:
    path = SHARED / "design" / GOLDEN
    return json.loads(path.read_text("utf-8")) if path.exists() else []


def story_called(beginning: str) -> Told:
    found = [one for one in json.loads(design(GOLDEN).read_text("utf-8")) if one["name"].startswith(beginning)]
    assert len(found) == 1
    return found[0]


def test_there_are_thirteen_golden_stories():
    assert len(json.loads(design(GOLDEN).read_text("utf-8"))) == 13


@pytest.mark.parametrize("story", [pytest.param(one, id=one["name"]) for one in stories()])
def test_a_golden_story_is_scored_term_by_term(story: Told):
    score, terms = scored(story)

    expected = [(minute, our_label(label), change, total) for minute, label, change, total in story["terms"]]
    assert [(minute, term.label, term.change, term.total) for minute, term in terms] == expected
    assert (score.shown, score.band) == (story["score_centi"], story["band"])


@pytest.mark.parametrize("story", [pytest.param(one, id=one["name"]) for one in stories()])
def test_a_score_survives_storage_at_every_fact(story: Told):
    stored = TypeAdapter(Score)
    score = START
    for fact in told_facts(story):
        score, _ = step(score, fact)
        assert stored.validate_json(stored.dump_json(score)) == score
