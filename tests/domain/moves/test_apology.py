"""Apology: in three stages, and worth only what was said."""

import pytest

from domain.moves.apology import Apologise, ApologyMade
from domain.moves.remedy import DeliverRemedy
from tests.support.given import colleague, refused
from tests.support.recoveries import (
    PLUMS,
    again,
    closed,
    minute,
    of,
    refused_when_erased,
    reported,
    resolved,
)


def test_an_apology_answers_the_customer_and_stops_the_clock():
    tale = reported().when(Apologise(said="regret"), at=5, actor=colleague("barista"))
    (apology,) = tale.then(ApologyMade)
    assert apology.stage == "acknowledgement"
    assert of(tale).phase == "acknowledged"
    assert of(tale).apologised
    assert set(of(tale).deadlines) == {"first_action", "remedy"}
    assert of(tale).done["apology"].at == of(tale).done["apology:acknowledgement"].at == minute(5)
    assert of(tale).contacted_at == minute(5)


def test_an_apology_that_says_nothing_is_a_contact_and_no_more():
    tale = reported().when(Apologise(said="none"), at=5)
    assert of(tale).phase == "reported"
    assert not of(tale).apologised
    assert "acknowledge" in of(tale).deadlines
    assert of(tale).contacted_at == minute(5)


def test_an_apology_that_says_nothing_names_no_feeling():
    with refused("invalid_value", field="feeling_named"):
        reported().when(Apologise(said="none", feeling_named=True))


def test_the_stage_follows_from_what_was_done():
    tale = reported().when(DeliverRemedy(remedy_kind="replacement"), at=5).when(Apologise(said="admits"), at=6)
    assert tale.then(ApologyMade)[0].stage == "resolution"
    assert resolved(tale).when(Apologise(said="admits"), at=70).then(ApologyMade)[0].stage == "follow_up"
    asked = Apologise(recovery_id=PLUMS, said="admits")
    assert closed(reported()).when(asked, at=100).then(ApologyMade)[0].stage == "follow_up"


@pytest.mark.parametrize("stage", ["acknowledgement", "resolution", "follow_up"])
def test_a_stage_that_is_given_stands(stage):
    assert reported().when(Apologise(said="regret", stage=stage)).then(ApologyMade)[0].stage == stage


def test_everything_an_apology_can_say_is_taken_from_json_and_comes_back_from_it():
    command = Apologise.model_validate_json(
        '{"said": "admits_and_commits", "stage": "resolution", "feeling_named": true, "explanation": "brief",'
        ' "explanation_wanted": false, "accepted": "accepted", "channel": "phone", "wording_ref": "plums.closing",'
        f' "recovery_id": "{PLUMS}"}}'
    )
    (apology,) = reported().when(command).then(ApologyMade)
    assert apology == ApologyMade(
        recovery_id=PLUMS,
        stage="resolution",
        said="admits_and_commits",
        feeling_named=True,
        explanation="brief",
        explanation_wanted=False,
        accepted="accepted",
        channel="phone",
        wording_ref="plums.closing",
    )
    assert again(apology) == apology


def test_nobody_apologises_to_a_customer_who_was_forgotten():
    refused_when_erased(Apologise(said="regret", recovery_id=PLUMS))
