"""Contact: news, questions, and the times the customer had to come back."""

import pytest
from pydantic import ValidationError

from domain.clocks import DeadlineSet
from domain.moves.contact import (
    ContactAgain,
    CustomerContactedAgain,
    CustomerUpdated,
    InformationRequested,
    RequestInformation,
    UpdateCustomer,
)
from domain.moves.handling import Acknowledge
from tests.support.given import refused, story
from tests.support.recoveries import PLUMS, closed, minute, of, refused_when_erased, reported


def promised():
    return reported().when(Acknowledge(expected_by=minute(65)), at=5)


def test_news_from_a_human_keeps_the_promise_to_tell_and_ends_the_silence():
    tale = promised().when(UpdateCustomer(kind="progress"), at=30)
    tale.then(CustomerUpdated)
    assert "update" not in of(tale).deadlines
    assert of(tale).contacted_at == minute(30)


def test_what_the_customer_was_told_is_kept_as_his_own_data():
    tale = reported().when(UpdateCustomer(kind="delay", note="The plums come on Tuesday."), at=5)
    [updated] = tale.last
    assert isinstance(updated, CustomerUpdated)
    assert updated.note == "The plums come on Tuesday."
    assert {"note"} == CustomerUpdated.PERSONAL


def test_automatic_news_ends_the_silence_but_keeps_no_promise():
    tale = promised().when(UpdateCustomer(kind="progress", human=False), at=30)
    assert "update" in of(tale).deadlines
    assert of(tale).contacted_at == minute(30)


def test_the_next_promised_time_takes_the_place_of_the_last():
    tale = promised().when(UpdateCustomer(kind="delay", next_update_due=minute(120)), at=30)
    tale.then(CustomerUpdated, DeadlineSet)
    assert of(tale).deadlines["update"].due_at == minute(120)


@pytest.mark.parametrize("human", [True, False])
def test_whoever_tells_the_customer_first_has_answered_him(human):
    command = UpdateCustomer(kind="proactive", two_way=True, human=human)
    tale = reported(detection="system_detected").when(command, at=5)
    assert of(tale).phase == "acknowledged"
    assert "acknowledge" not in of(tale).deadlines


@pytest.mark.parametrize(
    ("detection", "kind", "two_way"),
    [
        ("customer_reported", "proactive", True),
        ("system_detected", "proactive", False),
        ("system_detected", "progress", True),
    ],
)
def test_other_news_is_not_telling_first(detection, kind, two_way):
    tale = reported(detection=detection).when(UpdateCustomer(kind=kind, two_way=two_way), at=5)
    assert of(tale).phase == "reported"
    assert "acknowledge" in of(tale).deadlines


def test_a_closed_recovery_gets_no_clock_any_more():
    command = UpdateCustomer(recovery_id=PLUMS, kind="result", next_update_due=minute(200))
    closed(reported()).when(command, at=100).then(CustomerUpdated)


def test_a_customer_who_had_to_ask_again_was_not_contacted_by_us():
    tale = reported().when(ContactAgain(channel="phone", repeated_information=True), at=30)
    (again,) = tale.then(CustomerContactedAgain)
    assert again.repeated_information
    assert of(tale).contacted_at == minute(0)
    assert of(tale).done["contacted_again"].at == minute(30)
    assert "acknowledge" in of(tale).deadlines


def test_a_question_is_a_contact():
    tale = reported().when(RequestInformation(questions=3, purpose="proof_of_purchase", already_held=True), at=30)
    (asked,) = tale.then(InformationRequested)
    assert (asked.questions, asked.purpose, asked.already_held) == (3, "proof_of_purchase", True)
    assert of(tale).contacted_at == minute(30)


def test_nobody_asks_no_questions():
    with pytest.raises(ValidationError):
        RequestInformation(questions=0)


@pytest.mark.parametrize("command", [UpdateCustomer(kind="progress"), ContactAgain(), RequestInformation()])
def test_contact_needs_a_recovery_of_a_customer_we_remember(command):
    with refused("unknown_ref", what="open recovery"):
        story().when(command)
    refused_when_erased(command)
