"""House: the standards in force at a moment, and that a published document takes the place of a shipped one."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from domain.standards.authority import Asker
from domain.standards.document import Standard
from domain.standards.house import BODIES, DEFAULTS, House
from domain.standards.playbook import Circumstances, Playbook
from domain.standards.rule import HouseRule, harder
from domain.standards.targets import TARGETS, Targets

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ATTEMPT = "courier.reschedule-before-first-attempt"


def rule(name: str, **body: Any) -> Standard[HouseRule]:
    return Standard[HouseRule](
        name=name, body=HouseRule.model_validate({"title": "t", "owner": "dispatch"} | body)
    )


def published(name: str, version: int, after_days: int, what: str) -> Standard[Playbook]:
    body = Playbook.model_validate({"match": {"what": what}, "steps": [f"version {version}"]})
    effective_from = NOW + timedelta(days=after_days)
    return Standard[Playbook](name=name, version=version, effective_from=effective_from, body=body)


def steps(house: House, what: str) -> str:
    return house.playbook(Circumstances(what=what)).body.steps[0]


@pytest.mark.parametrize("shipped", DEFAULTS, ids=lambda one: one.ref)
def test_every_document_comes_back_from_json_as_it_was_written(shipped: Standard[Any]):
    written = json.dumps(shipped.body.outside())
    kind = BODIES[shipped.body.KIND]
    assert kind.model_validate_json(written, strict=True) == shipped.body
    assert json.dumps(kind.model_validate_json(written).outside()) == written


def test_every_kind_has_a_default():
    assert (
        {one.body.KIND for one in DEFAULTS}
        == set(BODIES)
        == {
            "authority",
            "targets",
            "rule",
            "playbook",
            "calendar",
        }
    )


def test_a_house_that_published_nothing_has_an_answer_to_everything():
    house = House.at(NOW)
    assert house.may_give(Asker()) is not None
    assert house.targets() is TARGETS
    assert house.playbook(Circumstances()).name == "fallback"
    assert house.rule("nobody.wrote-it").body.hardness == "soft"
    assert house.rule(None).body.owner == "manager"
    assert house.calendar(None) is None


def test_a_published_document_takes_the_place_of_the_shipped_one_of_its_name():
    house = House.at(NOW, [published("expedite", 1, -1, "late")])
    assert steps(house, "late") == "version 1"
    assert steps(house, "billed_wrong") == steps(House.at(NOW), "billed_wrong")


def test_of_several_versions_the_newest_in_force_counts_and_not_yet_the_next():
    versions = [
        published("ours", 2, -1, "late"),
        published("ours", 1, -9, "late"),
        published("ours", 3, 1, "late"),
    ]
    assert steps(House.at(NOW, versions), "late") != "version 2"  # `expedite` and `ours` are a tie: by name
    alone = [published("expedite", one.version, (one.effective_from - NOW).days, "late") for one in versions]
    assert steps(House.at(NOW, alone), "late") == "version 2"
    assert steps(House.at(NOW - timedelta(days=5), alone), "late") == "version 1"
    assert steps(House.at(NOW + timedelta(days=5), alone), "late") == "version 3"


def test_a_house_whose_playbook_for_everything_was_narrowed_still_has_one_for_the_rest():
    house = House.at(NOW, [published("fallback", 1, -1, "late")])
    assert house.playbook(Circumstances(what="other")).body.steps


def test_targets_of_a_name_are_found_and_the_house_has_them_for_all_others():
    night = Standard[Targets](name="night", version=4, body=TARGETS.body)
    house = House.at(NOW, [night])
    assert house.targets("night") is night
    assert house.targets("day") is TARGETS


def test_a_written_rule_is_found_with_its_owner():
    house = House.at(NOW, [rule(ATTEMPT, hardness="system", system="courier-portal", forces_failure_first=True)])
    found = house.rule(ATTEMPT).body
    assert (found.owner, found.hardness, found.forces_failure_first) == ("dispatch", "system", True)


def test_the_harder_of_what_is_written_and_what_was_met_counts():
    assert harder("soft", "system") == harder("system", "soft") == harder("system", None) == "system"
    assert harder("soft", "hard") == "hard"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"hardness": "hard"}, "names the law it comes from"),
        ({"hardness": "system"}, "names the program that enforces it"),
        ({"hardness": "stone"}, "'soft', 'system' or 'hard'"),
        ({"owner": "The Boss"}, "pattern"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_with_what_to_write(wrong: dict[str, Any], told: str):
    with pytest.raises(ValidationError, match=told):
        rule("ours", **wrong)
