"""Dignity: nothing beside the sealed part of a report tells whom it names, and no field labels a customer."""

from collections.abc import Iterator
from typing import Any

import pytest

import domain.all_kinds
from domain.dignity import KEPT, UNSIGNED, named_in, signed
from domain.kinds import AMENDS, COMMANDS, EVENTS, Actor
from domain.moves.treatment import TreatmentAnswered, TreatmentReported
from domain.values import ERASED, WITHHELD
from domain.wording import check_wording
from tests.support.given import colleague, named_id

assert domain.all_kinds
MARIA = colleague("maria", role="pharmacist", role_class="back")
ABOUT_HER = TreatmentReported(treatment="rude", by_colleague=named_id("colleague:maria"))
LABELS = {
    "difficult",
    "abuse",
    "abusive",
    "abuser",
    "unfounded",
    "blame",
    "blamed",
    "label",
    "complainer",
    "fraud",
} | {
    "troublemaker",
    "blacklist",
    "blacklisted",
    "vip",
    "tier",
}
"""Words that would sort customers into kinds of people, in names of fields and in lists of values."""


def test_a_name_is_kept_for_180_days():
    assert KEPT.days == 180


def test_who_reports_himself_or_answers_is_not_told_by_the_envelope():
    unsigned = Actor(kind="colleague", ref=UNSIGNED, role="other", role_class="back")
    assert signed(MARIA, [ABOUT_HER]) == unsigned
    hers = TreatmentAnswered(by_colleague=named_id("colleague:maria"), side="I was alone.")
    assert signed(MARIA, [hers]).colleague_id is None


@pytest.mark.parametrize(
    "actor", [colleague("nikos"), AMENDS, Actor(kind="customer", ref=f"u:{named_id('eleni')}")]
)
def test_everybody_else_stands_by_what_he_did(actor: Actor):
    assert signed(actor, [ABOUT_HER]) == actor
    assert signed(MARIA, [TreatmentReported(treatment="rude")]) == MARIA


@pytest.mark.parametrize("unread", [WITHHELD, ERASED])
def test_what_cannot_be_read_names_nobody(unread: Any):
    assert named_in(TreatmentReported.model_construct(treatment="rude", by_colleague=unread)) is None


def words_of(schema: dict[str, Any]) -> Iterator[str]:
    """Every name of a field, and every value that may be chosen, in this JSON Schema."""
    for name, value in schema.items():
        if name in ("properties", "$defs"):
            yield from value
        if name == "enum":
            yield from (str(one) for one in value)
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                yield from words_of(inner)
            if name in ("properties", "$defs") and isinstance(inner, dict):
                for field in inner.values():
                    yield from words_of(field)


def test_s2_20_no_kind_has_a_field_or_a_value_that_labels_a_customer():
    found = {
        kind.__name__: {part for word in words_of(kind.model_json_schema()) for part in word.lower().split("_")}
        for kind in [*EVENTS.values(), *COMMANDS.values()]
    }
    assert {name: said & LABELS for name, said in found.items() if said & LABELS} == {}


def test_a_label_in_a_field_or_a_list_would_be_seen():
    schema = {"properties": {"customer_label": {"enum": ["difficult_customer"]}}}
    assert {part for word in words_of(schema) for part in word.split("_")} >= {"label", "difficult"}


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("She is a difficult customer.", "difficult customer"),
        ("Ein bekannter complainer.", "complainer"),
        ("Δύσκολη πελάτισσα, πάλι.", "Δύσκολη πελάτισσα"),
        ("To trudny klient.", "trudny klient"),
        ("An unfounded complaint.", "unfounded complaint"),
    ],
)
def test_s2_20_a_label_in_a_message_is_found_and_another_word_is_offered(said: str, label: str):
    [found] = check_wording(said)
    assert (found.rule, found.said) == ("customer_label", label)
    assert found.instead
