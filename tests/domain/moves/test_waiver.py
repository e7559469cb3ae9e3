"""Waiver: left out on purpose, with the reason."""

import pytest

from domain.milestones import RecoveryReopened
from domain.moves.outcome import Reopen
from domain.moves.waiver import StepWaived, WaiveStep
from tests.support.given import colleague, refused, story
from tests.support.recoveries import PLUMS, closed, of, refused_when_erased, reported, resolved, treated_badly


def test_a_waived_step_is_kept_with_its_reason_and_its_clock_stops():
    tale = reported(severity=3).when(WaiveStep(step="compensation", reason="customer_request"))
    (waived,) = tale.then(StepWaived)
    assert (waived.step, waived.reason) == ("compensation", "customer_request")
    assert of(tale).waived == {"compensation": "customer_request"}
    assert set(of(tale).deadlines) == {"acknowledge", "first_action", "remedy"}


def test_a_waived_apology_stops_no_clock():
    tale = reported().when(WaiveStep(step="apology", reason="customer_request"))
    assert set(of(tale).deadlines) == {"acknowledge", "first_action", "remedy"}


def test_a_waived_compensation_is_not_due_again_when_the_recovery_opens_again():
    tale = resolved(reported(severity=3).when(WaiveStep(step="compensation", reason="customer_request")))
    assert isinstance(tale.when(Reopen(cause="recurrence"), at=100).last[0], RecoveryReopened)
    assert set(of(tale).deadlines) == {"acknowledge", "first_action", "remedy"}


@pytest.mark.parametrize(
    "command",
    [WaiveStep(step="remedy", reason="customer_request"), WaiveStep(step="apology", reason="not_recorded")],
)
def test_only_an_import_leaves_out_a_remedy_or_a_record(command):
    with refused("missing_scope", scope="import"):
        reported().when(command)
    reported().when(command, importing=True).then(StepWaived)


def test_a_colleague_named_in_a_report_of_poor_treatment_waives_nothing():
    tale = treated_badly(reported(), by="anna")
    with refused("own_case"):
        tale.when(WaiveStep(step="apology", reason="trivial"), actor=colleague("anna"))
    tale.when(WaiveStep(step="apology", reason="trivial"), actor=colleague("bert")).then(StepWaived)


def test_a_waiver_needs_an_open_recovery_of_a_customer_we_remember():
    command = WaiveStep(step="apology", reason="trivial")
    with refused("unknown_ref", what="open recovery"):
        story().when(command)
    with refused("wrong_phase", phase="closed"):
        closed(reported()).when(command.model_copy(update={"recovery_id": PLUMS}), at=100)
    refused_when_erased(command)
