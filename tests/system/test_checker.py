"""The checker of the other tests here sees what it is there for: losses, doubles, gaps, false receipts."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import text

from domain.moves.apology import Apologise
from infrastructure.projector import Projector
from projections import ALL
from tests.support import checker
from tests.support.checker import Acknowledged, Entry, differences, disagreements, faults
from tests.support.inspection import rolled_back_inserts
from tests.support.load import Answer, Post, badly_answered, customers_of
from tests.support.processes import House
from tests.support.writing import crm, desk, late

PLUM: Final = "0190a1b2-0000-4000-8000-000000000001"
PEAR: Final = "0190a1b2-0000-4000-8000-000000000002"
LEDGER: Final = [
    Entry(1, PLUM, 1, "e1", "relationship.opened", "aa"),
    Entry(2, PLUM, 2, "e2", "failure.reported", "bb"),
    Entry(3, PEAR, 1, "e3", "relationship.opened", "cc"),
    Entry(4, PLUM, 3, "e4", "apology.made", "dd"),
]
TOLD: Final = [
    Acknowledged("k1", (LEDGER[0], LEDGER[1])),
    Acknowledged("k2", (LEDGER[2],)),
    Acknowledged("k3", (LEDGER[3],)),
    Acknowledged("k1", (LEDGER[0], LEDGER[1])),
    Acknowledged("refused", ()),
]


def test_a_sound_ledger_has_no_faults() -> None:
    assert faults(LEDGER, TOLD, 4) == []


def test_an_acknowledged_event_that_is_not_there_is_lost() -> None:
    assert "k3 was acknowledged, and event e4 is lost" in faults(LEDGER[:3], TOLD, 3)


def test_a_last_event_that_only_the_head_remembers_is_missed() -> None:
    assert faults(LEDGER[:3], TOLD[:2], 4) == ["the head stands at 4, and there are 3 events"]


def test_an_event_that_is_there_twice_is_seen() -> None:
    doubled = [*LEDGER, Entry(5, PLUM, 4, "e4", "apology.made", "dd")]
    assert "event e4 is there 2 times" in faults(doubled, TOLD, 5)


def test_a_command_that_was_recorded_twice_under_new_ids_is_seen() -> None:
    again = Entry(5, PLUM, 4, "e5", "apology.made", "ee")
    assert faults([*LEDGER, again], TOLD, 5) == [f"nobody was told of {again}: something was recorded twice"]


def test_a_gap_in_the_positions_is_seen() -> None:
    shifted = [*LEDGER[:3], replace(LEDGER[3], position=5)]
    told = [*TOLD[:2], Acknowledged("k3", (shifted[3],)), TOLD[3]]
    assert faults(shifted, told, 5) == [
        "the head stands at 5, and there are 4 events",
        "position 5 stands where 4 belongs",
    ]


def test_events_in_the_wrong_order_are_seen() -> None:
    swapped = [LEDGER[0], LEDGER[2], LEDGER[1], LEDGER[3]]
    assert faults(swapped, TOLD, 4) == ["position 3 stands where 2 belongs"]


def test_a_gap_in_the_versions_of_a_stream_is_seen() -> None:
    jumped = [*LEDGER[:3], replace(LEDGER[3], version=4)]
    told = [*TOLD[:2], Acknowledged("k3", (jumped[3],))]
    assert faults(jumped, told, 4) == [f"the versions of {PLUM} are [1, 2, 4]"]


@pytest.mark.parametrize(
    "wrong",
    [{"position": 3}, {"version": 2}, {"leaf_hash": "ff"}, {"stream": PEAR}, {"topic": "remedy.delivered"}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_receipt_that_says_something_else_than_the_ledger_is_seen(wrong: dict[str, object]) -> None:
    false = replace(LEDGER[3], **wrong)
    told = [*TOLD[:2], Acknowledged("k3", (false,))]
    assert faults(LEDGER, told, 4) == [f"k3 was told {false}, and there is {LEDGER[3]}"]


def test_a_key_that_got_two_answers_is_seen() -> None:
    other = Acknowledged("k1", (LEDGER[0],))
    assert len(faults(LEDGER, [*TOLD, other], 4)) == 1


def test_an_event_that_stands_before_one_acknowledged_earlier_is_seen() -> None:
    pear = replace(TOLD[1], began=3.0, ended=4.0)
    late = replace(TOLD[3], began=0.0, ended=9.0)  # asked again; it was there long before
    assert faults(LEDGER, [replace(TOLD[0], began=1.0, ended=2.0), pear, TOLD[2], late], 4) == []
    told = [replace(TOLD[0], began=5.0, ended=6.0), pear, TOLD[2]]
    assert faults(LEDGER, told, 4) == ["k1 was asked for when k2 had its answer, and stands before it"]


def test_one_event_that_answers_two_keys_is_seen() -> None:
    assert faults(LEDGER, [*TOLD, Acknowledged("k4", (LEDGER[3],))], 4) == [
        "event e4 answers several keys: ['k3', 'k4']"
    ]


def test_a_page_of_the_api_that_leaves_out_an_event_or_changes_one_is_seen() -> None:
    shown = [replace(entry, leaf_hash="") for entry in LEDGER]
    assert disagreements(shown, LEDGER) == []
    assert len(disagreements(shown[:3], LEDGER)) == 1
    assert len(disagreements([*shown[:3], replace(shown[3], version=9)], LEDGER)) == 1


def test_a_read_model_that_is_not_what_a_rebuild_gives_is_seen() -> None:
    live: checker.Rows = {"recoveries": [{"id": 1, "phase": "open"}, {"id": 2, "phase": "open"}]}
    assert differences(live, {"recoveries": [{"id": 1, "phase": "open"}, {"id": 2, "phase": "open"}]}) == []
    assert len(differences(live, {"recoveries": [{"id": 1, "phase": "open"}]})) == 1
    assert len(differences(live, {"recoveries": [{"id": 1, "phase": "open"}, {"id": 2, "phase": "closed"}]})) == 1
    assert differences(live, {}) == ["only one of them has the table recoveries"]


def test_a_post_with_the_wrong_answer_is_seen_and_so_is_a_customer_with_two_ids() -> None:
    allowed, forbidden = Post("k1", 7, "/", {}), Post("k2", 7, "/", {}, refused=True)
    good = [Answer(allowed, 201, {"customer_id": PLUM}, False, 1), Answer(forbidden, 404, {}, False, 1)]
    assert badly_answered(good) == []
    assert len(badly_answered([Answer(allowed, 404, {}, False, 1), Answer(forbidden, 201, {}, False, 1)])) == 2
    assert customers_of(good[:1]) == {7: PLUM}
    with pytest.raises(AssertionError, match="two ids"):
        customers_of([good[0], Answer(allowed, 201, {"customer_id": PEAR}, False, 1)])


def test_what_is_stored_is_read_from_the_headers_and_rows_as_the_database_has_them(
    database: str, tmp_path: Path
) -> None:
    with desk(database, tmp_path) as amends:
        projector = Projector(amends.engine, amends.mapper, ALL)
        projector.catch_up()
        customer = amends.post(late(), crm("C-1")).customer_id
        [receipt] = amends.post(Apologise(said="regret"), customer).receipts
        projector.catch_up()
        with amends.engine.connect() as conn:
            entries, rows = checker.in_headers(conn), checker.live_rows(conn)
            header = conn.execute(text("SELECT header FROM events WHERE position = 6")).scalar_one()
            assert checker.generations(conn) == {one.name: 1 for one in ALL}
            assert checker.parked(conn) == []
    leaf = sha256(b"\x00" + header).hexdigest()
    assert entries[5] == Entry(6, str(customer), 6, str(receipt.event_id), "apology.made", leaf)
    assert [entry.position for entry in entries] == [1, 2, 3, 4, 5, 6]
    assert len(rows["satisfaction_state"]) == 1
    assert rows["satisfaction_state"][0]["position"] == 6


def test_rows_that_were_thrown_away_are_counted(postgres_database: str, tmp_path: Path) -> None:
    with desk(postgres_database, tmp_path) as amends:
        amends.post(late(), crm("C-1"))
        with amends.engine.connect() as conn:
            columns = (
                "position, stream_id, version, event_id, topic, occurred_at, recorded_at, header, public, salt"
            )
            conn.execute(text(f"INSERT INTO events (ledger, {columns}) SELECT 'other', {columns} FROM events"))
            conn.rollback()
    assert rolled_back_inserts(House(postgres_database, tmp_path, bearer="none")) == 5
