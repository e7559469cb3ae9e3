"""Imports of real files: their figures equal those counted from the files; a second run appends nothing."""

import csv
import json
import lzma
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from api.importers.cases import Importer, day, similarity, slug
from api.importers.cfpb import Cfpb
from api.importers.rows import open_source
from api.importers.run import Tally, read, run
from api.importers.uci import SEVERITIES, UciIncidents
from domain.errors import Unavailable
from infrastructure.generations import live_generation
from infrastructure.orders import Order, Outcome
from infrastructure.projector import Projector
from infrastructure.tables import events
from projections import ALL, deadlines, recoveries, satisfaction
from projections.base import Source
from projections.period import Period
from tests.support.shared import data
from tests.support.writing import NOON, Desk, desk

KNOWN = {"1": "yes", "Yes": "yes", "0": "no", "No": "no"}


def imported(amends: Desk, importer: Importer, name: str, rows: int | None = None) -> Tally:
    source = open_source(data("given") / f"{name}.csv.xz", importer.REQUIRED)
    if rows is not None:
        source = replace(source, records=islice(source.records, rows))
    projector = Projector(amends.engine, amends.mapper, ALL)
    projector.enter()
    tally = run(importer, source, amends.writer.submit, amends.keyring)
    projector.catch_up()
    return tally


@contextmanager
def reading(amends: Desk) -> Iterator[Source]:
    with amends.engine.connect() as conn:
        yield Source(conn, "main", live_generation("main"))


def tally_of(amends: Desk, *by: str) -> Counter[Any]:
    with reading(amends) as source:
        rows = recoveries.tally(source, *by)
    return Counter({tuple(row[name] for name in by): row["n"] for row in rows})


def given_rows(name: str, first: int | None = None) -> list[dict[str, str]]:
    with lzma.open(data("given") / f"{name}.csv.xz", "rt", encoding="utf-8", newline="") as file:
        return list(islice(csv.DictReader(file), first))


def facts(name: str) -> dict[str, Any]:
    return json.loads((data("given") / "reference-facts.json").read_text())["sets"][name]


def how(response: str) -> str:
    return response.lower().replace(" ", "-")


def check_cfpb(amends: Desk, rows: list[dict[str, str]]) -> None:
    """Disputes and timeliness by response, counted from the file with nothing but the csv module."""
    disputes: Counter[Any] = Counter()
    timely: Counter[Any] = Counter()
    for row in rows:
        response = row["Company response to consumer"]
        said = KNOWN.get(row.get("Consumer disputed?", ""))
        if said:
            disputes[how(response), said] += 1
        on_time = KNOWN.get(row["Timely response?"])
        timely[{"yes": "kept", "no": "missed", None: None}[on_time]] += 1
    found: Counter[Any] = Counter()
    for (code, instrument, value, follow_up), n in tally_of(
        amends, "how_code", "first_instrument", "first_value", "follow_up"
    ).items():
        if (instrument, value) == ("OUTCOME", 0):
            found[code, "yes"] += n
        if follow_up == "no_objection":
            found[code, "no"] += n
    assert found == disputes
    assert {key[0]: n for key, n in tally_of(amends, "response").items()} == dict(timely)


def check_reference(amends: Desk, reference: dict[str, Any]) -> None:
    """The same against the reference figures."""
    by_how = {key[0]: n for key, n in tally_of(amends, "how_code").items()}
    words = tally_of(amends, "how_code", "first_instrument", "first_value")
    asked = tally_of(amends, "how_code", "follow_up")
    for response, expected in reference["by_company_response"].items():
        code = None if response == "In progress" else how(response)
        assert by_how[code] == expected["count"]
        if "disputed_yes" in expected:
            assert words[code, "OUTCOME", 0] == expected["disputed_yes"]
            assert asked[code, "no_objection"] == expected["disputed_no"]
    response = {key[0]: n for key, n in tally_of(amends, "response").items()}
    assert response["kept"] == reference["timely_yes"]
    known = response["kept"] + response["missed"]
    assert known == reference["timely_known"]
    assert round(response["kept"] / known, 6) == reference["timely_share_of_known"]


def check_uci(amends: Desk, reference: dict[str, Any]) -> None:
    assert sum(tally_of(amends, "phase").values()) == reference["incidents"]
    assert tally_of(amends, "phase")["closed",] == reference["incidents_by_last_state"]["Closed"]
    assert tally_of(amends, "reopened")[True,] == reference["incidents_reopened"]
    with amends.engine.connect() as conn:
        rows = conn.execute(select(events.c.topic, func.count()).group_by(events.c.topic))
        topics = {topic: n for topic, n in rows}  # noqa: C416 - rows are not pairs to dict()
        customers = conn.execute(select(func.count()).select_from(satisfaction.satisfaction_state)).scalar_one()
    assert customers == reference["callers_by_first_row_of_incident"] + 2
    assert topics["recovery.reopened"] == reference["sum_of_max_reopen_count"]
    assert topics["recovery.handed_off"] == reference["sum_of_max_reassignment_count"]
    assert topics["deadline.missed"] == reference["incidents_sla_missed_last_row"]
    assert sum(missed_remedies(amends).values()) == reference["incidents_sla_missed_last_row"]


def missed_remedies(amends: Desk) -> Counter[int | None]:
    """How many promises of a remedy the report of deadlines counts as missed, by severity."""
    with reading(amends) as source:
        found = deadlines.report(source, Period(None, None, NOON))
    return Counter({one.severity: one.missed for one in found.steps if one.step == "remedy" and one.severity})


def count(amends: Desk) -> int:
    with amends.engine.connect() as conn:
        return conn.execute(select(func.count()).select_from(events)).scalar_one()


def test_the_first_rows_of_the_complaints_count_as_the_file_does(sqlite_database: str, tmp_path: Path) -> None:
    with desk(sqlite_database, tmp_path) as amends:
        tally = imported(amends, Cfpb(), "cfpb-sample-2012-2016", 2_000)
        assert (tally.rows, tally.accepted, tally.rejects) == (2_000, 2_000, [])
        check_cfpb(amends, given_rows("cfpb-sample-2012-2016", 2_000))


def test_a_second_run_appends_nothing_and_a_broken_off_one_is_resumed(database: str, tmp_path: Path) -> None:
    with desk(database, tmp_path) as amends:
        imported(amends, Cfpb(), "cfpb-full-2013-08", 50)
        half = count(amends)
        imported(amends, Cfpb(), "cfpb-full-2013-08", 100)
        whole = count(amends)
        again = imported(amends, Cfpb(), "cfpb-full-2013-08", 100)
        assert (again.events, again.replayed, again.accepted) == (0, 200, 100)
        assert half < whole == count(amends)


@pytest.mark.parametrize("name", ["cfpb-full-2013-08", "cfpb-full-2012-2016"])
def test_complaints_with_other_columns_and_dates_equal_the_reference(
    sqlite_database: str, tmp_path: Path, name: str
) -> None:
    with desk(sqlite_database, tmp_path) as amends:
        tally = imported(amends, Cfpb(), name)
        assert tally.accepted == facts(name)["rows"]
        check_reference(amends, facts(name))


def test_the_first_rows_of_the_incidents_tell_their_recoveries(sqlite_database: str, tmp_path: Path) -> None:
    rows = given_rows("uci-incident-event-log", 2_000)
    with desk(sqlite_database, tmp_path) as amends:
        tally = imported(amends, UciIncidents(), "uci-incident-event-log", 2_000)
        assert (tally.accepted, tally.rejects) == (2_000, [])
        assert sum(tally_of(amends, "phase").values()) == len({row["number"] for row in rows})
        reopened = {row["number"] for row in rows if row["reopen_count"] != "0"}
        assert tally_of(amends, "reopened")[True,] == len(reopened)
        last = {row["number"]: row for row in rows}.values()
        missed = Counter(SEVERITIES[row["priority"][0]] for row in last if row["made_sla"] == "false")
        assert missed_remedies(amends) == missed


@pytest.mark.soak
def test_the_complaint_sample_equals_the_reference_on_postgresql(postgres_database: str, tmp_path: Path) -> None:
    with desk(postgres_database, tmp_path) as amends:
        tally = imported(amends, Cfpb(), "cfpb-sample-2012-2016")
        assert (tally.rows, tally.accepted) == (14_036, 14_036)
        check_reference(amends, facts("cfpb-sample-2012-2016"))
        words = tally_of(amends, "how_code", "first_instrument", "first_value")
        no = tally_of(amends, "how_code", "follow_up")
        rates = {
            code: (words[code, "OUTCOME", 0], words[code, "OUTCOME", 0] + no[code, "no_objection"])
            for code in (
                "closed-with-explanation",
                "closed-with-non-monetary-relief",
                "closed-with-monetary-relief",
                "closed-without-relief",
            )
        }
        assert rates == {
            "closed-with-explanation": (2264, 10107),
            "closed-with-non-monetary-relief": (218, 1804),
            "closed-with-monetary-relief": (83, 888),
            "closed-without-relief": (78, 319),
        }
        everybody = sum(n for (_, instrument, value), n in words.items() if (instrument, value) == ("OUTCOME", 0))
        content = sum(n for (_, outcome), n in no.items() if outcome == "no_objection")
        assert (everybody, everybody + content) == (2726, 13526)


@pytest.mark.soak
def test_all_complaints_on_one_bank_equal_the_reference(database: str, tmp_path: Path) -> None:
    with desk(database, tmp_path) as amends:
        tally = imported(amends, Cfpb(), "cfpb-bank-2017-2023")
        assert tally.accepted == facts("cfpb-bank-2017-2023")["rows"]
        check_reference(amends, facts("cfpb-bank-2017-2023"))


@pytest.mark.soak
def test_all_incidents_equal_the_reference(database: str, tmp_path: Path) -> None:
    with desk(database, tmp_path) as amends:
        tally = imported(amends, UciIncidents(), "uci-incident-event-log")
        assert (tally.rows, tally.accepted) == (96_888, 96_888)
        check_uci(amends, facts("uci-incident-event-log"))


def test_a_dry_run_reads_everything_and_needs_no_ledger() -> None:
    source = open_source(data("given") / "uci-incident-event-log.csv.xz", UciIncidents.REQUIRED)
    tally = read(UciIncidents(), replace(source, records=islice(source.records, 5_000)))
    assert (tally.rows, tally.accepted) == (5_000, 5_000)


def test_a_row_with_an_unknown_answer_is_refused_and_its_neighbours_kept(
    sqlite_database: str, tmp_path: Path
) -> None:
    path = tmp_path / "complaints.csv"
    path.write_text(
        "Date received,Product,Company response to consumer,Timely response?,Complaint ID\n"
        "2013-08-30,Mortgage,Closed with explanation,Yes,1\n"
        "2013-08-30,Mortgage,Closed with explanation,perhaps,2\n"
        "30 August,Mortgage,Closed with explanation,Yes,3\n"
        "2013-08-30,Mortgage,Closed by accident,Yes,4\n"
        "2013-08-30,Mortgage,Closed,No,5\n"
    )
    with desk(sqlite_database, tmp_path) as amends:
        tally = run(Cfpb(), open_source(path, Cfpb.REQUIRED), amends.writer.submit, amends.keyring)
    assert tally.accepted == 2
    assert [(reject.line, reject.reason) for reject in tally.rejects] == [
        (3, "timely_response 'perhaps' is neither yes nor no"),
        (4, "'30 August' is not a date"),
        (5, "company response 'Closed by accident' is not known"),
    ]


def test_days_are_read_in_every_form_the_files_use() -> None:
    forms = ("2013-08-30", "2013/8/30", "8/30/2013", "08/30/2013")
    assert {day(text).date().isoformat() for text in forms} == {"2013-08-30"}


def test_long_names_become_codes_that_stay_apart() -> None:
    first = slug("Credit reporting, credit repair services, or other personal consumer reports", 31)
    other = slug("Credit reporting, credit repair services, or other things entirely", 31)
    assert first.startswith("credit-reporting-credit-")
    assert len(first) <= 31
    assert first != other
    assert similarity("Mortgage", "") == "mortgage"
    assert similarity("Mortgage", "Late fee") == "mortgage:late-fee"


class Faltering:
    """A writer's door that answers some submissions, counted from 0, with `unavailable`."""

    def __init__(self, amends: Desk, *unanswered: int) -> None:
        self.amends, self.unanswered, self.count = amends, unanswered, 0

    def __call__(self, order: Order) -> "Future[Outcome]":
        count, self.count = self.count, self.count + 1
        if count not in self.unanswered:
            return self.amends.writer.submit(order)
        failed: Future[Outcome] = Future()
        failed.set_exception(Unavailable(retry_after_seconds=3))
        return failed


def complaint(folder: Path) -> Path:
    path = folder / "complaints.csv"
    path.write_text(
        "Product,Issue,Date received,Company response,Timely response?,Consumer disputed?,Complaint ID\n"
        "Mortgage,Escrow,3/19/2015,Closed with monetary relief,Yes,No,1290580\n"
    )
    return path


def test_what_was_not_answered_is_told_again_in_order(sqlite_database: str, tmp_path: Path):
    file = complaint(tmp_path)
    waited: list[float] = []
    with desk(sqlite_database, tmp_path) as amends:
        # The report fails twice; the response, which needs it, must come after it all the same.
        submit = Faltering(amends, 0, 2)
        tally = run(Cfpb(), open_source(file, Cfpb.REQUIRED), submit, amends.keyring, wait=waited.append)
    assert (tally.rejects, tally.accepted) == ([], 1)
    assert waited == [3, 6]


def test_an_import_ends_when_the_ledger_stays_away(sqlite_database: str, tmp_path: Path):
    file = complaint(tmp_path)
    waited: list[float] = []
    with desk(sqlite_database, tmp_path) as amends:
        source, submit = open_source(file, Cfpb.REQUIRED), Faltering(amends, *range(100))
        with pytest.raises(Unavailable):
            run(Cfpb(), source, submit, amends.keyring, wait=waited.append)
    assert waited == [3, 6, 9, 12, 15]
