"""Publishing: which version of a standard holds when, and what may still be changed about it."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from domain.kinds import Context
from domain.publishing import (
    Publication,
    PublishStandard,
    RetireStandard,
    StandardCommand,
    in_force,
    turning_points,
)
from domain.standards.house import House
from tests.support.given import START, colleague, named_id, next_fact, refused

FAR = START + timedelta(days=36_500)
"""Meant for this year, mistyped for the next century."""
OPEN = {"mon": [["09:00", "17:00"]]}
ADMIN = colleague("petros", "manager", "manager")
AT = Context(
    occurred_at=START,
    recorded_at=START,
    actor=ADMIN,
    new_id=lambda: named_id("minted"),
    pseudonym=lambda kind, value: named_id(f"{kind}:{value}"),
)


@dataclass
class Shelf:
    """One calendar in the making, told day by day from START on."""

    state: Publication = field(default_factory=lambda: Publication.begun(named_id("calendar")))

    def when(self, command: StandardCommand, day: float = 0) -> "Shelf":
        """The command is decided on this day and recorded."""
        moment = START + timedelta(days=day)
        for event in command.decide(self.state, replace(AT, occurred_at=moment, recorded_at=moment)):
            self.state = self.state.after(next_fact(self.state, event, moment, ADMIN, "calendar"))
        return self

    def holds(self, day: float) -> int | None:
        """The version in force on this day; None: what ships, or nothing."""
        found = House.at(day_of(day), in_force([self.state], day_of(day))).calendar("shop")
        return None if found is None else found.version


def day_of(day: float) -> datetime:
    return START + timedelta(days=day)


def published(effective_from: datetime | None = None, zone: str = "UTC") -> PublishStandard:
    """A calendar that holds from then on."""
    body: dict[str, Any] = {"kind": "calendar", "name": "shop", "body": {"zone": zone, "hours": OPEN}}
    return PublishStandard.model_validate(body | {"effective_from": effective_from})


def retired(retired_from: datetime | None = None) -> RetireStandard:
    """The calendar holds no longer from then on."""
    return RetireStandard(kind="calendar", name="shop", retired_from=retired_from)


def test_a_version_that_has_not_begun_is_replaced_by_the_one_published_after_it():
    shelf = Shelf().when(published(FAR)).when(published(day_of(7), "Europe/Athens"), day=1)
    assert [shelf.holds(day) for day in (6, 7, 40_000)] == [None, 2, 2]


def test_what_was_in_force_stays_so_when_what_was_planned_after_it_is_replaced():
    shelf = Shelf().when(published()).when(published(FAR), day=1).when(published(), day=2)
    assert [shelf.holds(day) for day in (0, 1, 2, 40_000)] == [1, 1, 3, 3]


def test_a_version_replaces_only_what_was_to_begin_later_than_itself():
    shelf = Shelf().when(published()).when(published(day_of(10))).when(published(day_of(30)))
    shelf.when(published(day_of(20)), day=1)
    assert [shelf.holds(day) for day in (0, 10, 20, 31)] == [1, 2, 4, 4]


def test_a_version_that_was_replaced_keeps_its_number_and_its_words():
    shelf = Shelf().when(published(FAR)).when(published(zone="Europe/Athens"), day=1)
    told = [(one.version, one.effective_from, one.body.zone) for one in shelf.state.standards()]
    assert told == [(1, FAR, "UTC"), (2, day_of(1), "Europe/Athens")]


def test_retiring_withdraws_what_has_not_begun_and_the_name_is_free_again():
    shelf = Shelf().when(published(FAR)).when(retired(), day=1)
    assert shelf.holds(40_000) is None
    shelf.when(published(), day=2)
    assert [shelf.holds(day) for day in (1, 2, 40_000)] == [None, 2, 2]


def test_a_standard_holds_from_now_on_or_later_whatever_it_replaces():
    shelf = Shelf().when(published(FAR))
    with refused("invalid_value", field="effective_from"):
        shelf.when(published(day_of(1)), day=2)


def test_the_house_changes_only_where_a_version_begins_or_ends():
    shelf = Shelf().when(published(FAR)).when(published(day_of(7)), day=1).when(retired(day_of(9)), day=2)
    assert [shelf.holds(day) for day in (6, 7, 8, 9, 40_000)] == [None, 2, 2, None, None]
    assert {day_of(7), day_of(9)} <= set(turning_points([shelf.state]))


def test_what_is_retired_for_later_can_be_retired_sooner():
    shelf = Shelf().when(published()).when(retired(FAR), day=1)
    assert shelf.holds(40) == 1
    shelf.when(retired(day_of(30)), day=2).when(retired(), day=3)
    assert [shelf.holds(day) for day in (2, 3, 40)] == [1, None, None]
    assert shelf.state.retired_from == day_of(3)


def test_what_ends_already_is_not_prolonged_by_retiring_it_later():
    shelf = Shelf().when(published()).when(retired(day_of(30)), day=1)
    for later in (day_of(30), FAR):
        with refused("invalid_value", field="retired_from"):
            shelf.when(retired(later), day=2)
    shelf.when(published(day_of(30)), day=2)
    assert [shelf.holds(day) for day in (29, 30, 40)] == [1, 2, 2]


def test_what_holds_no_longer_is_not_retired_again():
    shelf = Shelf().when(published()).when(retired(), day=1)
    with refused("unknown_ref", what="standard in force"):
        shelf.when(retired(), day=2)
    with refused("unknown_ref", what="standard in force"):
        shelf.when(retired(FAR), day=2)
