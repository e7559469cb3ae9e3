"""Instant remedy: the whole recovery in one list of events."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

import domain.compositions
from domain.clocks import DeadlineSet
from domain.compositions.instant_remedy import InstantRemedy
from domain.kinds import COMMAND_OF_TYPE, COMMANDS
from domain.milestones import RelationshipOpened
from domain.moves.apology import Apologise, ApologyMade
from domain.moves.compensation import CompensationDelivered, CompensationGranted
from domain.moves.failure import FailureReported
from domain.moves.handling import Acknowledge, RecoveryAcknowledged
from domain.moves.invitation import ReturnInvitationIssued
from domain.moves.outcome import RecoveryResolved
from domain.moves.remedy import RemedyDelivered, RemedyPromised
from domain.moves.waiver import WaiveStep
from tests.support.given import START, named_id, refused, story
from tests.support.stories import PLUMS, only, report, reported, resolved

FAILURE = {"what": "wrong_or_broken", "description": "The plums were hard."}
STARTER = {"kind": "free_item", "value": {"amount": "9.00", "currency": "EUR"}}
DINNER = {"what": "dinner", "valid_until": START + timedelta(days=60)}
ONLY_WHAT_IS_NEEDED = [
    RecoveryAcknowledged,
    ApologyMade,
    RemedyPromised,
    RemedyDelivered,
    RecoveryResolved,
]


def instant(**more: Any) -> InstantRemedy:
    """An apology and an exchange, and what the test adds."""
    given = {"apology": {"said": "admits"}, "remedy": {"remedy_kind": "replacement", "resolves": "full"}}
    return InstantRemedy.model_validate(given | more)


def test_everything_from_the_failure_to_the_invitation_is_one_list_of_events():
    told = story().when(instant(failure=FAILURE, compensation=STARTER, invitation=DINNER))
    told.then(
        RelationshipOpened,
        FailureReported,
        DeadlineSet,
        DeadlineSet,
        DeadlineSet,
        RecoveryAcknowledged,
        ApologyMade,
        RemedyPromised,
        RemedyDelivered,
        CompensationGranted,
        CompensationDelivered,
        ReturnInvitationIssued,
        RecoveryResolved,
    )
    plums = only(told)
    assert (plums.phase, plums.first_contact, plums.deadlines) == ("resolved", True, {})


def test_on_a_reported_failure_only_the_rest_is_told():
    told = reported().when(instant(), at=5)
    told.then(*ONLY_WHAT_IS_NEEDED)
    assert told.last[-1].how_code == "replacement"


def test_who_was_answered_is_not_answered_again():
    told = reported().when(Acknowledge(), at=1).when(instant(), at=5)
    told.then(*ONLY_WHAT_IS_NEEDED[1:])


def test_what_is_given_later_is_granted_and_not_yet_delivered():
    told = reported().when(instant(compensation=STARTER | {"timing": "later"}), at=5)
    assert CompensationGranted in map(type, told.last)
    assert CompensationDelivered not in map(type, told.last)


def test_a_new_failure_is_kept_apart_from_those_that_are_open():
    told = reported().when(instant(failure=FAILURE | {"recovery_id": named_id("pears")}), at=5)
    assert told.state.recoveries[PLUMS].phase == "reported"
    assert told.state.recoveries[named_id("pears")].phase == "resolved"


def test_the_only_open_recovery_is_meant_unless_one_is_named():
    both = reported().when(report("pears"))
    with refused("ambiguous_recovery"):
        both.when(instant(), at=5)
    both.when(instant(recovery_id=PLUMS), at=5).then(*ONLY_WHAT_IS_NEEDED)


def test_a_new_failure_and_a_known_recovery_exclude_each_other():
    with refused("invalid_value", field="failure"):
        reported().when(instant(failure=FAILURE, recovery_id=PLUMS), at=5)


def test_a_part_names_no_other_recovery():
    with refused("invalid_value", field="remedy"):
        reported().when(instant(remedy={"remedy_kind": "refund", "recovery_id": named_id("pears")}), at=5)


def test_one_refused_part_refuses_the_whole():
    nothing = reported()
    with refused("nothing_done", missing=["apology"]):
        nothing.when(instant(apology={"said": "none"}), at=5)
    with refused("nothing_done", missing=["remedy"]):
        nothing.when(instant(remedy={"remedy_kind": "replacement", "resolves": "none"}), at=5)
    assert nothing.state.version == len(nothing.facts)
    assert only(nothing).phase == "reported"


def test_what_is_resolved_already_is_left_alone():
    with refused("wrong_phase"):
        resolved().when(instant(), at=20)


def test_an_unknown_customer_without_a_failure_is_refused():
    with refused("unknown_ref"):
        story().when(instant())


def test_the_follow_up_gets_its_deadline_where_it_matters():
    told = story().when(instant(failure=FAILURE | {"severity": 3}))
    assert isinstance(told.last[-1], DeadlineSet)
    assert told.last[-1].step == "follow_up"


def test_a_waived_apology_still_has_to_be_said_here():
    told = reported().when(WaiveStep(step="apology", reason="customer_request"), at=1)
    with pytest.raises(ValidationError):
        InstantRemedy.model_validate({"remedy": {"remedy_kind": "refund"}})
    told.when(instant(apology=Apologise(said="regret")), at=2).then(*ONLY_WHAT_IS_NEEDED)


def test_it_is_a_command_of_its_own_and_no_fact():
    assert domain.compositions.instant_remedy.InstantRemedy is COMMANDS["instant-remedy"]
    assert InstantRemedy.OPENS
    assert InstantRemedy not in COMMAND_OF_TYPE.values()
