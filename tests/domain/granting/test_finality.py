"""A-6: what was within somebody's authority stands, and is taken back only for what is no judgement of his."""

import pytest

from domain.colleagues.authority import AuthorityReturned
from domain.duties import settle
from domain.kinds import AMENDS, Actor
from domain.moves.approval import DecideCompensation
from domain.moves.compensation import CompensationReversed, GrantCompensation, ReverseCompensation
from domain.moves.failure import ReportFailure
from domain.values import Moment
from tests.support.given import Story, colleague, named_id, refused
from tests.support.recoveries import PLUMS, eur, minute, reported

VOUCHER, OTHER, PEARS = named_id("voucher"), named_id("other"), named_id("pears")
NIKOS = colleague("nikos", "mechanic", "back")
AUDITOR = colleague("audit", "accountant", "back")
CHIEF = colleague("chief", "manager", "manager")
TILL = Actor(kind="service", ref="k:till")


def given(cents: int = 50_00, by: Actor = NIKOS, **more: object) -> Story:
    """What a mechanic judged right, and may give alone."""
    return again(reported(), cents, by, compensation_id=VOUCHER, **more)


def again(tale: Story, cents: int = 50_00, by: Actor = NIKOS, **more: object) -> Story:
    """A voucher of this cost."""
    fields = {"kind": "voucher", "cost": eur(cents), "recovery_id": PLUMS}
    return tale.when(GrantCompensation.model_validate(fields | more), at=5, actor=by)


def failed_again(tale: Story, *, like: bool) -> Story:
    """A second recovery is opened, for what is like the first failure or for something else."""
    [first] = tale.state.recoveries.values()
    key = first.similarity_key if like else "something:else"
    failure = {"recovery_id": PEARS, "what": "late", "description": "An hour.", "similarity_key": key}
    return tale.when(ReportFailure.model_validate(failure), at=5)


def back(tale: Story, cause: str | None = None, by: Actor = CHIEF, **more: object) -> Story:
    """It is taken back."""
    said = {"compensation_id": VOUCHER, "recovery_id": PLUMS, "reason": "So much?", "cause": cause}
    return tale.when(ReverseCompensation.model_validate(said | more), at=20, actor=by)


@pytest.mark.parametrize("by", [AUDITOR, CHIEF, TILL], ids=lambda by: by.role or by.ref)
@pytest.mark.parametrize("cause", [None, "other", "too_generous", "own_mistake"])
@pytest.mark.parametrize("delivered", [True, False])
def test_s5_8_nobody_takes_back_what_another_would_have_given_less_of(by: Actor, cause: str, delivered: bool):
    causes = ["made_twice", "never_arrived", "returned", "own_mistake", "entered_in_error", "law"]
    with refused("within_authority", causes=causes):
        back(given(delivered=delivered), cause, by)


@pytest.mark.parametrize("cause", [None, "other", "own_mistake"])
def test_s5_8_whoever_gave_it_may_take_it_back_himself(cause: str):
    tale = back(given(), cause, NIKOS)
    assert [one.cause for one in tale.then(CompensationReversed)] == [cause]
    assert [type(one) for one in tale.elsewhere] == [AuthorityReturned]


def test_a_service_that_gave_it_takes_it_back_itself_and_a_colleague_does_not():
    with refused("within_authority"):
        back(given(by=TILL), by=CHIEF)
    back(given(by=TILL), by=TILL).then(CompensationReversed)
    # Spoken through the same key, the customer is still no one who gave it.
    with refused("within_authority"):
        back(given(by=TILL), by=Actor(kind="customer", ref=TILL.ref))


@pytest.mark.parametrize("role_class", ["system", "manager"])
@pytest.mark.parametrize("delivered", [True, False])
def test_s5_8_what_one_service_gave_no_other_service_takes_back(role_class: str, delivered: bool):
    other = Actor(kind="service", ref="k:audit", role_class=role_class)
    for cause in (None, "own_mistake", "entered_in_error"):
        with refused("within_authority"):
            back(given(by=TILL, delivered=delivered), cause, other)
    back(given(by=TILL, delivered=delivered), "never_arrived", other).then(CompensationReversed)


def test_what_was_entered_in_error_a_manager_puts_right_in_his_own_name():
    (event,) = back(given(), "entered_in_error", CHIEF).then(CompensationReversed)
    assert event.cause == "entered_in_error"
    for by in (AUDITOR, TILL):
        with refused("within_authority"):
            back(given(), "entered_in_error", by)


def test_what_an_importer_told_and_nobody_gave_is_taken_back_as_before():
    fields = {"kind": "voucher", "cost": eur(50_00), "recovery_id": PLUMS, "compensation_id": VOUCHER}
    command = GrantCompensation.model_validate(fields)
    for by in (TILL, CHIEF):
        back(reported().when(command, at=5, actor=TILL, importing=True), by=by).then(CompensationReversed)
    with refused("within_authority"):
        back(reported().when(command, at=5, actor=NIKOS, importing=True))


def test_what_a_second_voice_said_yes_to_stands_like_what_one_gives_alone():
    asked = given(120_00)
    approved = asked.when(DecideCompensation(approve=True, compensation_id=VOUCHER), at=6, actor=CHIEF)
    for by in (AUDITOR, NIKOS):
        with refused("within_authority"):
            back(approved, by=by)
    back(approved, "own_mistake", CHIEF).then(CompensationReversed)


def test_what_was_granted_because_nobody_decided_in_time_is_nobodys_to_undo():
    tale = given(120_00)
    for at, event in settle(tale.state, minute(60)):
        tale.given(event, at=_minutes(at), actor=AMENDS)
    assert tale.state.recoveries[PLUMS].compensations[VOUCHER].amount == eur(25_00)
    for by in (CHIEF, NIKOS, TILL):
        with refused("within_authority"):
            back(tale, "own_mistake", by)


def _minutes(at: Moment) -> float:
    return (at - minute(0)).total_seconds() / 60


@pytest.mark.parametrize(
    ("tale", "cause"),
    [
        (again(given(), compensation_id=OTHER), "made_twice"),
        (again(failed_again(given(), like=True), compensation_id=OTHER, recovery_id=PEARS), "made_twice"),
        (given(), "never_arrived"),
        (given(delivered=True), "never_arrived"),
        (given(delivered=True), "returned"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_s5_8_what_is_no_judgement_of_his_is_put_right_by_anybody(tale: Story, cause: str):
    assert [one.cause for one in back(tale, cause, AUDITOR).then(CompensationReversed)] == [cause]


def test_a_law_that_demands_it_back_is_named():
    with refused("invalid_value", field="legal_ref"):
        back(given(), "law")
    (event,) = back(given(), "law", legal_ref="penal-code:263").then(CompensationReversed)
    assert event.legal_ref == "penal-code:263"


@pytest.mark.parametrize(
    ("tale", "cause"),
    [
        (given(), "made_twice"),
        (again(given(), compensation_id=OTHER, kind="free_item"), "made_twice"),
        (again(given(), 20_00, compensation_id=OTHER), "made_twice"),
        (again(given(), compensation_id=OTHER, basis="contractual"), "made_twice"),
        (again(failed_again(given(), like=False), compensation_id=OTHER, recovery_id=PEARS), "made_twice"),
        (given(), "returned"),
    ],
    ids=["nothing_else", "something_else", "another_sum", "owed", "another_failure", "never_had"],
)
def test_a_cause_that_cannot_be_meant_is_refused(tale: Story, cause: str):
    with refused("invalid_value", field="cause"):
        back(tale, cause)


def test_one_of_two_alike_stays():
    twice = again(given(), compensation_id=OTHER)
    back(twice, "made_twice")
    with refused("invalid_value", field="cause"):
        back(twice, "made_twice", compensation_id=OTHER)


@pytest.mark.parametrize("basis", ["contractual", "statutory"])
def test_what_nobody_gave_by_his_own_judgement_is_taken_back_as_before(basis: str):
    back(given(basis=basis)).then(CompensationReversed)


def test_importers_tell_what_another_system_did():
    tale = given()
    command = ReverseCompensation(compensation_id=VOUCHER, recovery_id=PLUMS, reason="From the old system.")
    tale.when(command, at=20, actor=TILL, importing=True).then(CompensationReversed)


def test_what_was_taken_back_before_anybody_asked_why_reads_as_it_did():
    old = {"recovery_id": PLUMS, "compensation_id": VOUCHER, "reason": "twice"}
    event = CompensationReversed.model_validate(old)
    assert (event.cause, event.legal_ref) == (None, None)
    taken = given().given(event, at=9, actor=CHIEF)
    assert taken.state.recoveries[PLUMS].compensations[VOUCHER].status == "reversed"
