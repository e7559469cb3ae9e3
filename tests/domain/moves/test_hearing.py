"""Hearing: listening is a contact; compassion is a step of its own."""

from domain.moves.hearing import ConcernHeard, HearConcern
from tests.support.given import refused, story
from tests.support.recoveries import again, minute, of, refused_when_erased, reported


def test_compassion_is_a_step_done():
    command = HearConcern(summary="they were for her mother", confirmed=True, compassion="named_feeling")
    tale = reported().when(command, at=5)
    (concern,) = tale.then(ConcernHeard)
    assert (concern.summary, concern.confirmed, concern.compassion) == (
        "they were for her mother",
        True,
        "named_feeling",
    )
    assert again(concern) == concern
    assert of(tale).done["compassion"].at == minute(5)
    assert of(tale).contacted_at == minute(5)


def test_listening_alone_is_a_contact():
    tale = reported().when(HearConcern(), at=5)
    assert "compassion" not in of(tale).done
    assert of(tale).contacted_at == minute(5)


def test_what_was_heard_stands_nowhere_in_the_state():
    assert "mother" not in repr(reported().when(HearConcern(summary="they were for her mother")).state)


def test_hearing_needs_a_recovery_of_a_customer_we_remember():
    with refused("unknown_ref", what="open recovery"):
        story().when(HearConcern())
    refused_when_erased(HearConcern())
