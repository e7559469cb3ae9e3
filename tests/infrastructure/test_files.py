"""A SQLite file taken away while it is open: nothing is acknowledged, and no empty one comes in its place."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, make_url, text
from sqlalchemy.exc import OperationalError

from domain.errors import Unavailable
from domain.moves.apology import Apologise
from infrastructure.engine import make_engine, writing
from tests.support.writing import crm, desk, late


def path_of(database: str) -> Path:
    """Where the file of this database stands."""
    return Path(make_url(database).database or "")


def told(engine: Engine) -> str:
    """Why nothing can be read."""
    with pytest.raises(OperationalError) as fault, engine.connect() as conn:
        conn.execute(text("SELECT 1"))
    return str(fault.value.orig)


def test_without_its_file_a_writer_acknowledges_nothing_and_goes_on_once_it_is_back(
    sqlite_database: str, tmp_path: Path
):
    file, elsewhere = path_of(sqlite_database), tmp_path / "elsewhere.db"
    with desk(sqlite_database, tmp_path) as amends:
        customer = amends.post(late(), crm("C-1")).customer_id
        file.rename(elsewhere)
        for _ in range(2):  # on the connection it had, and on a new one
            with pytest.raises(Unavailable) as refused:
                amends.post(Apologise(said="regret"), customer)
            assert refused.value.recorded == "no"
        assert not file.exists()

        elsewhere.rename(file)
        assert amends.post(Apologise(said="regret"), customer).version == 6


def test_nothing_is_committed_to_a_file_that_was_taken_away_since_it_was_begun(
    sqlite_database: str, tmp_path: Path
):
    engine, file, elsewhere = make_engine(sqlite_database), path_of(sqlite_database), tmp_path / "elsewhere.db"

    def taken_away_while_writing() -> None:
        with writing(engine) as conn:
            conn.execute(text("CREATE TABLE kept (n INTEGER)"))
            file.rename(elsewhere)

    with pytest.raises(OperationalError, match="no longer at its path"):
        taken_away_while_writing()
    elsewhere.rename(file)
    with engine.connect() as conn:
        assert not inspect(conn).has_table("kept")


def test_a_file_put_in_the_place_of_the_open_one_is_not_taken_for_it(sqlite_database: str, tmp_path: Path):
    engine = make_engine(sqlite_database)
    file, other = path_of(sqlite_database), tmp_path / "other.db"
    with engine.connect() as conn:
        assert conn.execute(text("SELECT count(*) FROM events")).scalar_one() == 0
    other.write_bytes(file.read_bytes())
    other.replace(file)
    assert told(engine) == "the file that was opened is no longer at its path"
    engine.dispose()
    assert told(engine) == "the file that was opened is no longer at its path"


def test_a_file_that_was_not_there_yet_may_be_made_once(tmp_path: Path):
    engine = make_engine(f"sqlite:///{tmp_path / 'new.db'}")
    with engine.begin() as conn:
        conn.execute(text("CREATE TABLE kept (n INTEGER)"))
    engine.dispose()
    (tmp_path / "new.db").unlink()
    assert told(engine) == "the file that was opened is no longer at its path"
    assert not (tmp_path / "new.db").exists()
