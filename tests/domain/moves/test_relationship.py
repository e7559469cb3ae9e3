"""The relationship with a customer: opened once, known by its references, forgotten on request."""

import pytest
from pydantic import ValidationError

from domain.kinds import COMMAND_OF_TYPE
from domain.milestones import Reference, RelationshipOpened
from domain.moves.relationship import (
    CompleteEncounter,
    ContactPreferencesSet,
    DeclareValue,
    EncounterCompleted,
    ExpectationRecorded,
    LinkReference,
    OpenRelationship,
    PersonalDataErased,
    QuietHours,
    RecordExpectation,
    ReferenceLinked,
    SetContactPreferences,
    ValueDeclared,
)
from domain.values import Money
from tests.support.given import refused, story
from tests.support.recoveries import again, erased, eur, known, of, refused_when_erased, reported

CRM = Reference(kind="crm", value="C-77")
PHONE = Reference(kind="phone", value="+30 210 0000000")


def test_opening_a_relationship_records_every_reference_once():
    command = OpenRelationship(references=(PHONE, CRM), locale="el-GR", timezone="Europe/Athens")
    (opened,) = story().when(command, references=(("crm", "C-77"),)).then(RelationshipOpened)
    assert opened.references == (CRM, PHONE)
    assert opened.links() == (("crm", "C-77"), ("phone", "+30 210 0000000"))
    assert (opened.locale, opened.timezone, opened.contactable) == ("el-GR", "Europe/Athens", True)


def test_a_customer_without_a_reference_cannot_be_contacted_unless_we_are_told_otherwise():
    (opened,) = story().when(OpenRelationship()).then(RelationshipOpened)
    assert not opened.contactable
    (opened,) = story().when(OpenRelationship(contactable=True)).then(RelationshipOpened)
    assert opened.contactable


def test_opening_a_relationship_again_records_nothing():
    known().when(OpenRelationship(party_kind="organisation")).then()


def test_an_internal_team_is_a_party_too():
    assert story().when(OpenRelationship(party_kind="internal")).state.party_kind == "internal"


def test_a_linked_reference_finds_the_customer_from_then_on():
    (linked,) = known().when(LinkReference(kind="email", value="anna@example.test")).then(ReferenceLinked)
    assert linked.links() == (("email", "anna@example.test"),)


def test_contact_preferences_are_recorded_as_told():
    command = SetContactPreferences(
        channels=("email", "phone"), quiet_hours=QuietHours(start="21:00", end="08:30")
    )
    (preferences,) = known().when(command).then(ContactPreferencesSet)
    assert preferences.channels == ("email", "phone")
    assert preferences.quiet_hours == QuietHours(start="21:00", end="08:30")
    assert not preferences.marketing_ok


def test_quiet_hours_are_times_of_day():
    with pytest.raises(ValidationError):
        QuietHours(start="25:00", end="08:00")


def test_an_expectation_says_whose_it_is():
    command = RecordExpectation.model_validate_json(
        '{"topic": "freshness", "wish": "ώριμα φρούτα", "importance": 5, "from": "colleague"}'
    )
    (recorded,) = known().when(command).then(ExpectationRecorded)
    assert (recorded.wish, recorded.importance, recorded.from_) == ("ώριμα φρούτα", 5, "colleague")
    assert recorded.model_dump()["from"] == "colleague"
    assert again(recorded) == recorded


def test_what_a_customer_usually_spends_is_recorded():
    (declared,) = known().when(DeclareValue(amount=eur(1500), per="day", margin_pct=30)).then(ValueDeclared)
    assert (declared.amount, declared.basis, declared.margin_pct) == (eur(1500), "estimate", 30)


def test_an_amount_per_visit_needs_the_visits_of_a_year():
    with refused("invalid_value", field="visits_per_year"):
        known().when(DeclareValue(amount=eur(1500), per="visit"))
    known().when(DeclareValue(amount=eur(1500), per="visit", visits_per_year=52)).then(ValueDeclared)


def test_a_visit_that_went_well_is_recorded():
    (completed,) = known().when(CompleteEncounter(touchpoint="bar", amount=eur(450))).then(EncounterCompleted)
    assert completed.as_expected
    assert completed.amount == Money(minor=450, currency="EUR")


@pytest.mark.parametrize(
    "command",
    [
        LinkReference(kind="crm", value="C-77"),
        SetContactPreferences(),
        RecordExpectation(topic="freshness", wish="ripe fruit"),
        DeclareValue(amount=eur(1500), per="day"),
        CompleteEncounter(touchpoint="bar"),
    ],
    ids=lambda command: command.PATH,
)
def test_nothing_is_recorded_of_a_stranger_or_of_a_customer_who_was_forgotten(command):
    with refused("unknown_ref", what="customer"):
        story().when(command)
    refused_when_erased(command)


def test_a_forgotten_customer_is_not_opened_again():
    refused_when_erased(OpenRelationship())


def test_forgetting_a_customer_stops_every_clock():
    assert of(reported()).deadlines
    forgotten = erased()
    assert forgotten.state.status == "erased"
    assert not of(forgotten).deadlines
    assert not of(forgotten).clocks


def test_nobody_posts_an_erasure():
    assert PersonalDataErased.TYPE not in COMMAND_OF_TYPE


def test_somebody_nameless_who_leaves_his_number_can_be_reached_from_then_on():
    nameless = story().when(OpenRelationship())
    assert not nameless.state.contactable
    assert nameless.when(LinkReference(kind="phone", value="+30 210 000000")).state.contactable
