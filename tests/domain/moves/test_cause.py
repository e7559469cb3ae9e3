"""Cause: mostly the house."""

import pytest
from pydantic import ValidationError

from domain.moves.cause import AttributeCause, RootCauseAttributed
from domain.moves.treatment import ReportTreatment
from tests.support.given import colleague, refused
from tests.support.stories import only, reported


@pytest.mark.parametrize("cause", ["training", "policy_rule", "misunderstanding", "outside", "none_found"])
def test_a_cause_that_blames_nobody_needs_nothing_more(cause):
    plums = reported().when(AttributeCause(cause_class=cause), at=1)
    plums.then(RootCauseAttributed)
    assert "root_cause" in only(plums).done


@pytest.mark.parametrize("cause", ["skill", "attitude", "slip"])
def test_a_persons_fault_needs_evidence_and_what_the_house_contributed(cause):
    both = ["evidence_ref", "a systemic cause in contributing"]
    with refused("individual_needs_context", missing=both):
        reported().when(AttributeCause(cause_class=cause), at=1)


def test_evidence_alone_does_not_suffice_and_neither_does_another_person():
    with refused("individual_needs_context", missing=["a systemic cause in contributing"]):
        said = AttributeCause(cause_class="slip", evidence_ref="Camera 3", contributing=("attitude", "outside"))
        reported().when(said, at=1)


def test_what_the_house_contributed_does_not_suffice_without_evidence():
    with refused("individual_needs_context", missing=["evidence_ref"]):
        reported().when(AttributeCause(cause_class="slip", contributing=("capacity",)), at=1)


def test_a_persons_fault_with_evidence_and_context_is_recorded():
    said = AttributeCause(cause_class="slip", evidence_ref="Camera 3", contributing=("capacity",))
    (found,) = reported().when(said, at=1).then(RootCauseAttributed)
    assert (found.cause_class, found.contributing, found.evidence_ref) == ("slip", ("capacity",), "Camera 3")


def test_a_new_word_for_a_persons_fault_is_not_taken():
    with pytest.raises(ValidationError):
        AttributeCause.model_validate({"cause_class": "lazy"})


def test_a_colleague_named_in_the_case_does_not_explain_it():
    plums = reported().when(ReportTreatment(treatment="rude", by_colleague="m.vance"), at=1)
    with refused("own_case"):
        plums.when(AttributeCause(cause_class="training"), at=2, actor=colleague("m.vance"))
    plums.when(AttributeCause(cause_class="training"), at=3, actor=colleague("j.okafor"))
    plums.then(RootCauseAttributed)
