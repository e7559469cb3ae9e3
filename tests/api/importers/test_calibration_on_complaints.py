"""Real complaints replayed: how far we are off by type of response, and which type displeases most."""

from pathlib import Path

import pytest

from api.importers.cfpb import Cfpb
from api.importers.rows import open_source
from api.importers.run import run
from infrastructure.generations import live_generation
from infrastructure.projector import Projector
from projections import ALL, calibration
from projections.base import Source
from projections.calibration import CalibrationReport
from projections.period import Period
from tests.support.shared import data
from tests.support.writing import NOON, desk

EXPLAINED, RELIEVED, REPAID = (
    "closed-with-explanation",
    "closed-with-non-monetary-relief",
    "closed-with-monetary-relief",
)
READ = [one for one in ALL if one.name in ("recoveries", "satisfaction", "statements")]
"""The read models that the report is made of."""


def replayed(database: str, folder: Path, name: str) -> CalibrationReport:
    """The report of calibration after this file of complaints."""
    source = open_source(data("given") / f"{name}.csv.xz", Cfpb.REQUIRED)
    with desk(database, folder) as amends:
        run(Cfpb(), source, amends.writer.submit, amends.keyring)
        projector = Projector(amends.engine, amends.mapper, READ)
        projector.enter()
        projector.catch_up()
        with amends.engine.connect() as conn:
            return calibration.report(Source(conn, "main", live_generation("main")), Period(None, None, NOON))


@pytest.fixture(scope="module")
def report(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> CalibrationReport:
    """The report after all 728 complaints of a month, once per kind of database."""
    return replayed(module_database, tmp_path_factory.mktemp("complaints"), "cfpb-full-2013-08")


def test_stated_minus_inferred_is_told_by_type_of_response_with_n(report: CalibrationReport):
    """As the file counts them: 126, 14 and 9 customers disputed the answer; each had been thought more content."""
    told = {one.how_code: one for one in report.by_response}
    assert {code: one.n for code, one in told.items()} == {
        "closed": 4,
        EXPLAINED: 126,
        RELIEVED: 14,
        REPAID: 9,
    }
    assert (report.n, [one.instrument for one in report.by_instrument]) == (153, ["OUTCOME"])
    for one in report.by_response:
        assert one.bias is not None
        assert one.bias < -3000
        assert one.mean_absolute_error == -one.bias


def test_explanations_are_disputed_more_than_relief_and_money_least(report: CalibrationReport):
    """The order of the file's own dispute rates; 14 closed without a word are too few to be compared."""
    found = report.dissatisfied
    assert [(one.how_code, one.hits, one.n, one.share) for one in found if one.comparable] == [
        (EXPLAINED, 126, 524, 0.2405),
        (RELIEVED, 14, 114, 0.1228),
        (REPAID, 9, 75, 0.12),
    ]
    assert [(one.how_code, one.n) for one in found if not one.comparable] == [
        ("closed", 14),
        ("untimely-response", 1),
    ]


@pytest.mark.soak
def test_the_order_is_clear_in_fourteen_thousand_complaints(database: str, tmp_path: Path):
    found = {one.how_code: one for one in replayed(database, tmp_path, "cfpb-sample-2012-2016").dissatisfied}
    assert [(one.hits, one.n) for one in map(found.__getitem__, (EXPLAINED, RELIEVED, REPAID))] == [
        (2264, 10107),
        (218, 1804),
        (83, 888),
    ]
    assert found[EXPLAINED].low is not None
    assert found[RELIEVED].high is not None
    assert found[EXPLAINED].low > found[RELIEVED].high
