"""Failure: what went wrong, told in two fields, and looked at again later."""

import json
from datetime import timedelta

import pytest

from domain.clocks import DeadlineMoved, DeadlineSet
from domain.milestones import RelationshipOpened
from domain.moves.failure import DERIVED, WHAT, FailureReassessed, FailureReported, Reassess, ReportFailure
from domain.moves.follow_up import AttemptFollowUp
from domain.moves.voice import StateSatisfaction
from domain.moves.waiver import WaiveStep
from domain.satisfaction import START, step
from tests.support.given import colleague, named_id, refused, story
from tests.support.recoveries import (
    PLUMS,
    again,
    closed,
    erased,
    eur,
    known,
    minute,
    of,
    refused_when_erased,
    reported,
    resolved,
    treated_badly,
)

OPENING = (DeadlineSet, DeadlineSet, DeadlineSet)


def due(tale) -> dict[str, timedelta]:
    return {step: deadline.due_at - minute(0) for step, deadline in of(tale).deadlines.items()}


def test_two_fields_are_enough_and_open_the_relationship_and_three_clocks():
    events = story().when(ReportFailure(what="late", description="no parcel"), references=(("crm", "C-77"),))
    opened, failure, *_ = events.then(RelationshipOpened, FailureReported, *OPENING)
    assert opened.links() == (("crm", "C-77"),)
    assert (failure.failure_kind, failure.resource, failure.similarity_key) == ("procedural", "time", "late:")
    assert (failure.severity, failure.fault, failure.detection) == (2, "unknown", "customer_reported")


def test_every_what_has_a_kind_and_a_loss():
    assert set(DERIVED) == set(WHAT.known)


def test_a_newer_word_for_what_went_wrong_is_kept_and_read_as_other():
    _, failure, *_ = reported(what="haunted").then(RelationshipOpened, FailureReported, *OPENING)
    assert (failure.what, failure.failure_kind, failure.resource) == ("haunted", "unknown", "unknown")


def test_the_clocks_follow_the_severity():
    assert due(reported()) == {
        "acknowledge": timedelta(minutes=240),
        "first_action": timedelta(minutes=480),
        "remedy": timedelta(days=5),
    }


def test_a_compensation_clock_runs_where_more_than_what_was_owed_is_expected():
    assert due(reported(severity=3))["compensation"] == timedelta(days=5)
    assert "compensation" in due(reported(customer_loss={"money": {"amount": "12.50", "currency": "EUR"}}))
    assert "compensation" not in due(reported(severity=5, fault="customer"))


def test_a_similar_failure_within_180_days_is_a_repetition():
    again_late = ReportFailure(what="late", description="again")
    tale = story().when(ReportFailure(what="late", description="no parcel"))
    first, second = tale.when(again_late, at=180 * 24 * 60).state.recoveries.values()
    assert (first.repeated, second.repeated) == (False, True)
    tale = story().when(ReportFailure(what="late", description="no parcel"))
    assert not list(tale.when(again_late, at=180 * 24 * 60 + 1).state.recoveries.values())[1].repeated


def test_a_similar_failure_told_late_is_a_repetition_though_another_kind_came_since():
    days = 24 * 60
    tale = story().when(ReportFailure(what="late", description="A"), at=0)
    tale.when(ReportFailure(what="billed_wrong", description="B"), at=200 * days)
    tale.when(ReportFailure(what="late", description="A"), at=100 * days, recorded_at=201 * days)
    score = START
    for fact in tale.facts:
        score, _ = step(score, fact)
    assert [one.repeated for one in tale.state.recoveries.values()] == [False, False, True]
    assert [one.similar for one in score.recoveries.values()] == [False, False, True]


@pytest.mark.parametrize("history", [True, False])
def test_what_is_told_long_after_runs_no_clock(history):
    command = ReportFailure(what="late", description="no parcel", history=history)
    tale = story().when(command, importing=not history)
    tale.then(RelationshipOpened, FailureReported)
    (recovery,) = tale.state.recoveries.values()
    assert not recovery.clocks


def test_the_callers_own_numbers_find_the_recovery_but_stand_nowhere_in_the_state():
    tale = reported(report="R-1", order="O-9")
    assert (of(tale).report_key, of(tale).order_key) == (named_id("report:R-1"), named_id("order:O-9"))
    assert "R-1" not in repr(tale.state)
    assert "O-9" not in repr(tale.state)
    tale.when(Reassess(about={"report": "R-1"}, severity=1, reason="small"), at=1)
    with refused("unknown_ref"):
        tale.when(Reassess(about={"order": "O-8"}, severity=1, reason="small"), at=1)


def test_a_recovery_id_is_taken_once():
    with refused("already_exists", what="recovery", ref=str(PLUMS)):
        reported().when(ReportFailure(what="late", description="again", recovery_id=PLUMS))


def test_nothing_goes_wrong_any_more_for_a_customer_who_was_forgotten():
    refused_when_erased(ReportFailure(what="late", description="no parcel"))
    with refused("erased"):
        erased().when(Reassess(recovery_id=PLUMS, severity=4, reason="worse"))


def test_everything_a_report_can_say_is_taken_from_json_and_comes_back_from_it():
    told = {
        "what": "billed_wrong",
        "description": "χρεώθηκε δύο φορές",
        "recovery_id": str(PLUMS),
        "failure_kind": "core",
        "resource": "monetary",
        "severity": 3,
        "severity_customer": 5,
        "fault": "firm",
        "detection": "colleague_noticed",
        "channel": "in_person",
        "touchpoint": "till",
        "site": "athens-1",
        "product": "plums",
        "similarity_key": "double_charge",
        "report": "R-1",
        "order": "O-9",
        "customer_loss": {
            "money": {"amount": "12.50", "currency": "EUR"},
            "minutes": 20,
            "visits": 1,
            "contacts": 2,
        },
        "customer_words": "twice!",
        "desired_outcome": "my money",
        "witnessed": "public",
        "incident_id": str(named_id("incident")),
        "happened_at": "2026-03-02T10:00:00+02:00",
        "history": False,
    }
    assert set(told) == set(ReportFailure.model_fields)
    failure = known().when(ReportFailure.model_validate_json(json.dumps(told))).last[0]
    assert isinstance(failure, FailureReported)
    assert failure.customer_loss is not None
    assert failure.customer_loss.money == eur(1250)
    assert failure.happened_at == minute(-60)
    assert again(failure) == failure


def test_a_failure_has_not_happened_more_than_five_minutes_from_now():
    told = {"what": "late", "description": "An hour."}
    with refused(
        "future_event", field="happened_at", moment=minute(6).isoformat(), recorded_at=minute(0).isoformat()
    ):
        known().when(ReportFailure(**told, happened_at=minute(6)))
    failure = known().when(ReportFailure(**told, happened_at=minute(5))).last[0]
    assert isinstance(failure, FailureReported)
    assert failure.happened_at == minute(5)


def test_what_is_told_later_may_have_happened_since():
    told = ReportFailure(what="late", description="An hour.", happened_at=minute(60))
    assert known().when(told, at=0, recorded_at=120).last[0].happened_at == minute(60)


def test_what_is_foreseen_happens_when_it_happens():
    foreseen = ReportFailure(
        what="late", description="The van is full.", detection="predicted", happened_at=minute(600)
    )
    assert known().when(foreseen).last[0].happened_at == minute(600)


def test_a_higher_severity_moves_the_clocks_and_starts_the_one_for_compensation():
    tale = reported().when(Reassess(severity=4, reason="she slipped on them"), at=10)
    tale.then(FailureReassessed, DeadlineMoved, DeadlineMoved, DeadlineMoved, DeadlineSet)
    assert due(tale) == {
        "acknowledge": timedelta(minutes=30),
        "first_action": timedelta(minutes=120),
        "remedy": timedelta(days=2),
        "compensation": timedelta(days=5, minutes=10),
    }


def test_a_failure_that_was_the_customers_own_expects_no_compensation_any_more():
    tale = reported(severity=3).when(Reassess(fault="customer", reason="wrong tin"), at=10)
    tale.then(FailureReassessed)
    assert set(due(tale)) == {"acknowledge", "first_action", "remedy"}


def test_the_customers_severity_counts_up_to_four_for_the_clocks():
    tale = reported().when(Reassess(severity_customer=5, reason="he is furious"), at=1)
    assert (of(tale).severity_customer, of(tale).urgency) == (5, 4)


def test_several_fields_give_one_event_each_and_the_same_value_gives_none():
    command = Reassess(severity=2, fault="firm", resource="time", reason="looked again")
    first, second = reported().when(command, at=1).then(FailureReassessed, FailureReassessed)
    assert [(event.field, event.to) for event in (first, second)] == [("fault", "firm"), ("resource", "time")]
    assert again(first) == first


def test_a_closed_recovery_is_not_looked_at_again():
    with refused("wrong_phase", phase="closed"):
        closed(reported()).when(Reassess(recovery_id=PLUMS, severity=4, reason="worse"), at=100)


@pytest.mark.parametrize("graver", [{"severity": 3}, {"severity_customer": 4}])
def test_a_small_matter_that_proves_grave_after_all_is_followed_up_from_then_on(graver):
    tale = resolved(reported()).when(Reassess(recovery_id=PLUMS, reason="worse", **graver), at=100)
    clock = tale.last[-1]
    assert isinstance(clock, DeadlineSet)
    days = 3 if "severity" in graver else 2
    assert (clock.step, clock.due_at) == ("follow_up", minute(100) + timedelta(days=days))


def test_what_stays_small_or_was_grave_before_gets_no_second_follow_up():
    resolved(reported(severity=1)).when(Reassess(severity=2, reason="worse"), at=100).then(FailureReassessed)
    grave = resolved(reported(severity=3, fault="customer"))
    grave.when(Reassess(severity=4, reason="worse"), at=100).then(FailureReassessed)


@pytest.mark.parametrize(
    "asked",
    [
        AttemptFollowUp(outcome="no_answer"),
        WaiveStep(step="follow_up", reason="customer_request"),
        StateSatisfaction(instrument="CSAT", value=5, about="recovery", recovery_id=PLUMS),
    ],
    ids=lambda command: command.PATH,
)
def test_nobody_is_asked_again_because_a_matter_proved_grave(asked):
    tale = resolved(reported()).when(asked, at=90)
    tale.when(Reassess(severity=3, reason="worse"), at=100).then(FailureReassessed)


@pytest.mark.parametrize("view", [{"severity": 1}, {"severity_customer": 1}, {"fault": "customer"}])
def test_a_colleague_named_in_the_case_does_not_judge_how_grave_it_was_nor_whose_fault(view):
    tale = treated_badly(reported(), by="anna")
    with refused("own_case"):
        tale.when(Reassess(reason="it was nothing", **view), actor=colleague("anna"))
    tale.when(Reassess(reason="it was nothing", **view), actor=colleague("bert")).then(
        FailureReassessed, *([DeadlineMoved] * 3 if "severity" in view else [])
    )


def test_a_colleague_named_in_the_case_may_still_say_what_was_lost():
    tale = treated_badly(reported(), by="anna")
    tale.when(Reassess(resource="time", reason="an hour"), actor=colleague("anna")).then(FailureReassessed)
