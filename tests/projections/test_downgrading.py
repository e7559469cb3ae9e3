"""Downgrading: read models that were taken away are filled again from the ledger when they come back."""

from pathlib import Path

from alembic import command

from domain.moves.obstacle import ReportObstacle
from infrastructure.migrate import configured, upgrade
from projections import obstacles
from tests.support.ledgers import book, mixed
from tests.support.reporting import asked, told
from tests.support.stories import reported

BEFORE_THEM = "0004"
"""The last schema without read models of the house."""


def test_s4_1_a_report_is_the_same_after_its_tables_were_taken_away_and_made_anew(database: str, tmp_path: Path):
    with book(database, tmp_path) as shelf:
        met = ReportObstacle(kind="tool_or_equipment", minutes_lost=60)
        before = asked(told(shelf, reported().when(met, at=1)), obstacles.report)
    _down_and_up(database)
    with book(database, tmp_path) as shelf:
        shelf.projector().catch_up()
        assert asked(shelf, obstacles.report) == before
        assert before.n == 1


def test_every_read_model_has_the_rows_again_that_it_had_before(database: str, tmp_path: Path):
    with book(database, tmp_path) as shelf:
        shelf.record(mixed(streams=5, tellings=40))
        shelf.projector().catch_up()
        before = shelf.rows()
    _down_and_up(database)
    with book(database, tmp_path) as shelf:
        shelf.projector().catch_up()
        assert shelf.rows() == before
        assert before["obstacles"]
        assert before["clocks_stopped"]


def _down_and_up(database: str) -> None:
    with configured(database) as config:
        command.downgrade(config, BEFORE_THEM)
    upgrade(database)
