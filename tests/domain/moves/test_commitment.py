"""Commitment: our word given and kept."""

from datetime import timedelta

from domain.moves.commitment import CommitmentKept, CommitmentMade, KeepCommitment, MakeCommitment
from tests.support.given import START, named_id, refused, story
from tests.support.stories import PLUMS, only, reported

CALL = named_id("call")
TOMORROW = START + timedelta(days=1)


def promised():
    """We said that we would call tomorrow."""
    return reported().when(MakeCommitment(what="Call him.", due_at=TOMORROW, commitment_id=CALL), at=1)


def test_a_promise_stands_open_with_its_due_time():
    (made,) = promised().then(CommitmentMade)
    assert (made.recovery_id, made.what, made.due_at) == (PLUMS, "Call him.", TOMORROW)
    assert only(promised()).commitments == {CALL: TOMORROW}


def test_a_promise_gets_an_id_when_the_caller_gives_none():
    (made,) = reported().when(MakeCommitment(what="Call him.", due_at=TOMORROW), at=1).then(CommitmentMade)
    assert made.commitment_id == named_id("minted 1")


def test_a_promise_for_yesterday_is_refused():
    with refused("invalid_value", field="due_at"):
        reported().when(MakeCommitment(what="Call him.", due_at=START - timedelta(days=1)), at=1)


def test_the_same_promise_is_not_made_twice():
    with refused("already_exists", what="commitment"):
        promised().when(MakeCommitment(what="Call him.", due_at=TOMORROW, commitment_id=CALL), at=2)


def test_a_promise_is_kept_once():
    plums = promised().when(KeepCommitment(commitment_id=CALL), at=60)
    plums.then(CommitmentKept)
    assert only(plums).commitments == {}
    with refused("unknown_ref", what="open commitment"):
        plums.when(KeepCommitment(commitment_id=CALL), at=61)


def test_a_promise_to_nobody_we_know_is_not_kept():
    with refused("unknown_ref"):
        story().when(KeepCommitment(commitment_id=CALL))
