"""Real incidents replayed with the promises of their own service desk: we count those it kept as the desk did.

The desk does not publish its promises; they were found in its data, as the ones that explain `made_sla` best. It
is open on weekdays for nine hours, which begin at 14:00 by the clock of the file. Within 62 of these it closes
what is moderate, within 15 such days what is low, within eight hours what is high, and what is critical within
eight round the clock. The flag is decided when an incident is closed, not when it is resolved, and no state in
which the desk waits for somebody stops the clock. Told so, 16,773 of 16,781 incidents are judged alike.

Our own promise of a remedy ends when it is delivered. The rule can therefore be expressed only where the closing
is told as the delivery; told at Resolved, no allowances by priority agree with more than 15,248 of 16,773.
"""

import csv
import lzma
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from api.importers.uci import SEVERITIES
from projections import deadlines
from projections.period import Period
from tests.support.batches import tell, told
from tests.support.http import Service, service
from tests.support.shared import data

LOG = "uci-incident-event-log.csv.xz"
Incident = list[dict[str, str]]
Judged = Counter[tuple[int, str]]
"""How many were met and missed, by severity."""
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
HOURS = {"zone": "UTC", "hours": {day: [["14:00", "23:00"]] for day in WEEKDAYS}}
AT_LEISURE = ["400 d"] * 5
WITHIN = ["400 d", "8100 bm", "3722 bm", "480 bm", "480 min"]
"""By severity 1 to 5; priorities 4 to 1 are severities 2 to 5. Of those within 62 hours the last took 3,720
minutes, and the first that was missed 3,724."""


def incidents(every: int = 1) -> Iterator[Incident]:
    """The rows of each incident, in the file's order; of every so manieth only."""
    with lzma.open(data("given") / LOG, "rt", encoding="utf-8", newline="") as file:
        grouped = groupby(csv.DictReader(file), itemgetter("number"))
        for nth, (_, rows) in enumerate(grouped):
            if nth % every == 0:
                yield list(rows)


def moment(row: dict[str, str], name: str) -> str:
    return datetime.strptime(row[name], "%d/%m/%Y %H:%M").replace(tzinfo=UTC).isoformat()


def said_by_the_desk(cases: Iterable[Incident]) -> Judged:
    """How many it kept and missed by its own word: the flag on the last row of each."""
    last = [rows[-1] for rows in cases]
    return Counter(
        (SEVERITIES[row["priority"][0]], {"true": "met", "false": "missed"}[row["made_sla"]]) for row in last
    )


def replayed(rows: Incident, until: str) -> Iterator[dict[str, Any]]:
    """What is told of one incident: reported, judged anew, and put right when it was first called this."""
    number = rows[0]["number"]
    severity = SEVERITIES[rows[0]["priority"][0]]
    opened = {"what": "other", "description": rows[0]["category"], "severity": severity}
    yield told("failure.reported", number, time=moment(rows[0], "opened_at"), **opened)
    done = False
    for nth, row in enumerate(rows):
        at = moment(row, "sys_updated_at")
        if SEVERITIES[row["priority"][0]] != severity:
            severity = SEVERITIES[row["priority"][0]]
            anew = {"severity": severity, "reason": "priority changed"}
            yield told("failure.reassessed", number, key=f"{number}:{nth}", time=at, **anew)
        if row["incident_state"] == until and not done:
            done = True
            yield told("remedy.delivered", number, time=at, remedy_kind="other")


def promised(house: Service) -> None:
    """The house promises what the desk did, and nothing else in any time that could run out."""
    house.clock.now = datetime(2016, 1, 1, tzinfo=UTC)
    steps = ("acknowledge", "first_action", "update_interval", "compensation", "follow_up")
    allowances = {**dict.fromkeys(steps, AT_LEISURE), "remedy": WITHIN}
    house.post("/v1/standards", {"kind": "calendar", "name": "desk", "body": HOURS})
    body = {"calendar": "desk", "allowances": allowances}
    house.post("/v1/standards", {"kind": "targets", "name": "shipped", "body": body})
    house.clock.now = datetime(2017, 3, 1, tzinfo=UTC)


def told_until_taken(house: Service, events: Sequence[dict[str, Any]]) -> None:
    """All of these told in batches; one that finds the house busy is told again, which is safe.

    In small ones, as on a busy machine the largest take nearly as long as any caller waits.
    """
    for start in range(0, len(events), 100):
        statuses = {503}
        while 503 in statuses:
            statuses = {one["status"] for one in tell(house, events[start : start + 100])}
        assert statuses == {201}


def replay(house: Service, cases: Iterable[Incident], until: str) -> None:
    """These are told long after they happened, to a house that promises the same."""
    promised(house)
    told_until_taken(house, [event for rows in cases for event in replayed(rows, until)])
    house.project()


def judged(steps: Iterable[dict[str, Any]]) -> Judged:
    """How many promises of a remedy were met and missed, by severity."""
    of_remedy = [one for one in steps if one["step"] == "remedy" and one["severity"] is not None]
    counts = {(one["severity"], how): one[how] for one in of_remedy for how in ("met", "missed")}
    return Counter({case: n for case, n in counts.items() if n})


def patiently(house: Service) -> Judged:
    """The same of the report itself: of a year on a busy machine it may take longer than any caller waits."""
    with house.container.source() as source:
        return judged(deadlines.report(source, Period(None, None, house.clock.now)).model_dump()["steps"])


@pytest.fixture(scope="module")
def sample() -> list[Incident]:
    """Every hundredth incident of the file: 168 of 16,781."""
    return list(incidents(every=100))


def test_what_the_desk_promised_is_counted_by_us_as_by_the_desk(
    database: str, tmp_path: Path, sample: list[Incident]
):
    with service(database, tmp_path) as house:
        replay(house, sample, until="Closed")
        found = judged(house.get("/v1/reports/deadlines")["steps"])
    assert sum(found.values()) == len(sample) == 168
    assert found == said_by_the_desk(sample)


@pytest.mark.soak
def test_of_all_incidents_we_judge_six_otherwise_on_balance(sqlite_database: str, tmp_path: Path):
    """Seven that the desk calls kept were closed days after the others it calls missed, and one the other way."""
    cases = list(incidents())
    with service(sqlite_database, tmp_path) as house:
        replay(house, cases, until="Closed")
        found = patiently(house)
    said = said_by_the_desk(cases)
    assert (sum(found.values()), sum(said.values())) == (16_781, 16_781)
    assert said - found == {(3, "met"): 4, (4, "met"): 1, (5, "met"): 1}
    assert found - said == {(3, "missed"): 4, (4, "missed"): 1, (5, "missed"): 1}


@pytest.mark.soak
def test_a_promise_to_close_is_none_to_put_right(sqlite_database: str, tmp_path: Path):
    """Of every tenth incident more were resolved in that time than closed: the report says so, the flag cannot."""
    cases = list(incidents(every=10))
    with service(sqlite_database, tmp_path) as house:
        replay(house, cases, until="Resolved")
        found = patiently(house)
    said = said_by_the_desk(cases)
    assert all(found[severity, "met"] > said[severity, "met"] for severity in (2, 3, 4, 5))
