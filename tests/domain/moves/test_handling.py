"""Handling: somebody owns the recovery, and somebody answered."""

import pytest

from domain.clocks import DeadlineSet
from domain.kinds import Actor
from domain.moves.handling import (
    Acknowledge,
    Assign,
    HandOff,
    RecoveryAcknowledged,
    RecoveryAssigned,
    RecoveryHandedOff,
)
from tests.support.given import colleague, named_id, refused, story
from tests.support.recoveries import (
    PLUMS,
    again,
    closed,
    minute,
    of,
    refused_when_erased,
    reported,
    treated_badly,
)

ANNA = named_id("colleague:anna")
TILL = Actor(kind="service", ref="s:till")


def test_an_owner_is_stored_under_a_pseudonym():
    tale = reported().when(Assign(owner="anna", team="fruit"))
    (assigned,) = tale.then(RecoveryAssigned)
    assert (assigned.owner, assigned.team, assigned.reason) == (ANNA, "fruit", "initial")
    assert (of(tale).owner, of(tale).team) == (ANNA, "fruit")


def test_a_team_alone_may_own_a_recovery():
    tale = reported().when(Assign(owner="anna", team="fruit")).when(Assign(team="claims", reason="rebalance"))
    assert (of(tale).owner, of(tale).team) == (None, "claims")


@pytest.mark.parametrize(("command", "field"), [(Assign(), "owner"), (HandOff(), "to")])
def test_a_recovery_goes_to_somebody(command, field):
    with refused("invalid_value", field=field):
        reported().when(command)


def test_a_hand_off_says_from_whom_it_came():
    tale = reported().when(Assign(owner="anna")).when(HandOff(to="bert", context_shared=True), at=5)
    (handed,) = tale.then(RecoveryHandedOff)
    assert (handed.from_, handed.to, handed.context_shared) == (ANNA, named_id("colleague:bert"), True)
    assert handed.model_dump()["from"] == ANNA
    assert again(handed) == handed
    assert of(tale).owner == named_id("colleague:bert")
    assert of(tale).done["handed_off"].at == minute(5)


def test_what_nobody_owned_comes_from_the_colleague_who_hands_it_on_or_from_nobody():
    command = HandOff(team="claims")
    assert reported().when(command, actor=colleague("anna")).then(RecoveryHandedOff)[0].from_ == ANNA
    assert reported().when(command, actor=TILL).then(RecoveryHandedOff)[0].from_ is None


@pytest.mark.parametrize("command", [Assign(owner="anna"), HandOff(to="anna")])
def test_a_colleague_named_in_a_report_of_poor_treatment_never_owns_that_case(command):
    with refused("own_case"):
        treated_badly(reported(), by="anna").when(command)
    treated_badly(reported(), by="bert").when(command)


def test_a_human_answer_stops_the_clock():
    tale = reported().when(Acknowledge(channel="phone"), at=5)
    tale.then(RecoveryAcknowledged)
    assert of(tale).phase == "acknowledged"
    assert of(tale).done["acknowledge"].at == minute(5)
    assert set(of(tale).deadlines) == {"first_action", "remedy"}


def test_an_automatic_answer_is_a_contact_but_stops_no_clock():
    tale = reported().when(Acknowledge(human=False), at=5)
    assert of(tale).phase == "reported"
    assert "acknowledge" in of(tale).deadlines
    assert of(tale).contacted_at == minute(5)


def test_a_promised_time_is_a_clock():
    tale = reported().when(Acknowledge(expected_by=minute(65)), at=5)
    _, update = tale.then(RecoveryAcknowledged, DeadlineSet)
    assert (update.step, update.due_at, update.standard) == ("update", minute(65), "promise")


def test_a_promised_time_runs_no_clock_in_history():
    reported(history=True).when(Acknowledge(expected_by=minute(65)), at=5).then(RecoveryAcknowledged)


def test_a_promised_time_lies_ahead():
    with refused("invalid_value", field="expected_by"):
        reported().when(Acknowledge(expected_by=minute(5)), at=5)


@pytest.mark.parametrize("command", [Assign(owner="anna"), HandOff(to="anna"), Acknowledge()])
def test_handling_needs_an_open_recovery_of_a_customer_we_remember(command):
    with refused("wrong_phase", phase="closed"):
        closed(reported()).when(command.model_copy(update={"recovery_id": PLUMS}), at=100)
    with refused("unknown_ref"):
        reported().when(command.model_copy(update={"recovery_id": named_id("another")}))
    with refused("unknown_ref", what="open recovery"):
        story().when(command)
    refused_when_erased(command)
