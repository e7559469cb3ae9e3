"""Playbooks: which one is for a case, and what those that ship say."""

from typing import Any

import pytest
from pydantic import ValidationError

from domain.standards.document import Standard
from domain.standards.playbook import Circumstances, Playbook, chosen
from domain.standards.playbooks import PLAYBOOKS
from domain.vocabulary import WHAT


def book(name: str, **match: Any) -> Standard[Playbook]:
    return Standard[Playbook](name=name, body=Playbook.model_validate({"match": match}))


def name_of(case: Circumstances, *books: Standard[Playbook]) -> str | None:
    found = chosen(books, case)
    return found.name if found else None


LATE = Circumstances(
    what="late", failure_kind="procedural", touchpoint="courier", severity=3, similarity_key="van"
)
EVERYTHING = book("everything")
OF_KIND = book("of-kind", failure_kind="procedural")
OF_WHAT = book("of-what", what="late")
OF_PLACE = book("of-place", touchpoint="courier")
OF_KEY = book("of-key", similarity_key="van")
GRAVE = book("grave", what="late", severity_range=[3, 5])


def test_the_most_specific_that_fits_is_chosen():
    assert name_of(LATE, EVERYTHING) == "everything"
    assert name_of(LATE, EVERYTHING, OF_KIND) == "of-kind"
    assert name_of(LATE, EVERYTHING, OF_KIND, OF_WHAT) == "of-what"
    assert name_of(LATE, OF_WHAT, OF_PLACE) == "of-place"
    assert name_of(LATE, OF_WHAT, OF_PLACE, OF_KEY) == "of-key"
    assert name_of(LATE, OF_KEY, GRAVE) == "grave"


def test_one_that_does_not_fit_is_not_chosen():
    mild = Circumstances(what="late", severity=2)
    assert name_of(mild, GRAVE) is None
    assert name_of(mild, GRAVE, OF_PLACE, EVERYTHING) == "everything"


def test_ties_go_by_name_in_whatever_order_they_were_published():
    one, other = book("alpha", what="late"), book("beta", what="late")
    assert name_of(LATE, one, other) == name_of(LATE, other, one) == "alpha"


@pytest.mark.parametrize("what", WHAT.known)
def test_there_is_a_playbook_for_every_failure_and_it_tells_how_to_end(what: str):
    found = chosen(PLAYBOOKS, Circumstances(what=what))
    assert found is not None
    assert found.body.steps
    assert found.body.remedies
    assert found.body.closing_do
    assert found.body.closing_dont
    assert found.body.dignity


@pytest.mark.parametrize(
    ("what", "name", "first"),
    [
        ("badly_done", "reperform-now", "reperform"),
        ("billed_wrong", "money-now", "refund"),
        ("wrong_or_broken", "exchange", "replacement"),
        ("not_told", "tell-all", "information"),
        ("treated_badly", "human-again", "upgrade_attention"),
        ("other", "fallback", "reperform"),
        ("something_newer", "fallback", "reperform"),
    ],
)
def test_what_ships_repays_in_kind(what: str, name: str, first: str):
    found = chosen(PLAYBOOKS, Circumstances(what=what))
    assert found is not None
    assert (found.name, found.body.remedies[0].kind) == (name, first)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"match": {"what": "lost"}}, "there is no 'lost'; there are wrong_or_broken"),
        ({"match": {"severity_range": [4, 2]}}, "from the lowest severity to the highest"),
        ({"remedies": [{"kind": "hug"}]}, "there is no remedy 'hug'; there are refund"),
        ({"remedies": [{"kind": "refund"}, {"kind": "refund"}]}, "each one stands there once"),
        ({"remedies": [{"kind": "refund", "effort": 6}]}, "less than or equal to 5"),
        ({"closing": ["bye"]}, "Extra inputs"),
    ],
)
def test_a_playbook_that_cannot_be_meant_is_refused_with_what_to_write(wrong: dict[str, Any], told: str):
    with pytest.raises(ValidationError, match=told):
        Playbook.model_validate(wrong)


@pytest.mark.parametrize(
    ("kind", "value", "cost", "currency", "told"),
    [
        ("hug", "9.00", "2.50", "EUR", "no such kind of compensation: hug"),
        ("free_item", "9.00", "0.00", "EUR", "above zero"),
        ("free_item", "9.00", "2.50", "PLN", "in one currency"),
    ],
)
def test_an_offer_has_a_known_kind_a_value_and_a_cost(kind: str, value: str, cost: str, currency: str, told: str):
    offer = {
        "offer_id": "starter",
        "kind": kind,
        "value": {"amount": value, "currency": "EUR"},
        "cost": {"amount": cost, "currency": currency},
    }
    with pytest.raises(ValidationError, match=told):
        Playbook.model_validate({"offers": [offer]})
