"""The writer: decided under the lock, committed together, answered after the commit."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from threading import Event
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, event, func, select
from sqlalchemy.exc import OperationalError

from domain.errors import (
    AlreadyExists,
    Busy,
    Erased,
    FutureEvent,
    KeyReused,
    NothingDone,
    OwnCase,
    StaleVersion,
    TooOld,
    Unavailable,
    UnknownRef,
)
from domain.kinds import Actor
from domain.moves.apology import Apologise
from domain.moves.cause import AttributeCause
from domain.moves.hearing import HearConcern
from domain.moves.outcome import Resolve
from domain.moves.relationship import LinkReference, OpenRelationship
from domain.moves.treatment import ReportTreatment
from domain.relationship import Relationship
from infrastructure.key_file import KeysBroken
from infrastructure.patience import listening
from infrastructure.recorder import read_head, read_records
from infrastructure.states import States, load
from infrastructure.tables import commands, events, snapshots, subject_keys
from tests.support.faults import proxied
from tests.support.processes import eventually
from tests.support.writing import ANSWER_WITHIN_SECONDS, NOON, Desk, crm, desk, late

AT_WORK = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
    AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'
"""


@pytest.fixture
def amends(database: str, tmp_path: Path) -> Iterator[Desk]:
    with desk(database, tmp_path) as made:
        yield made


def records(engine: Engine) -> list:
    with engine.connect() as conn:
        return read_records(conn, "main", 0, 10_000)


def count(engine: Engine, table: object) -> int:
    with engine.connect() as conn:
        return conn.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_failure_of_an_unknown_customer_opens_the_relationship_in_the_same_append(amends: Desk) -> None:
    outcome = amends.post(late(), crm("C-1001"))
    assert [receipt.topic for receipt in outcome.receipts] == [
        "relationship.opened",
        "failure.reported",
        "deadline.set",
        "deadline.set",
        "deadline.set",
    ]
    assert [receipt.position for receipt in outcome.receipts] == [1, 2, 3, 4, 5]
    assert [receipt.version for receipt in outcome.receipts] == [1, 2, 3, 4, 5]
    assert outcome.version == 5
    assert UUID(outcome.ids["recovery_id"])


def test_the_same_reference_leads_to_the_same_customer_within_a_page_and_later(amends: Desk) -> None:
    first = amends.writer.submit(amends.order(late(), crm("C-1001")))
    twin = amends.writer.submit(amends.order(late(), crm("C-1001 ")))
    later = amends.post(late(), crm("C-1001"))
    assert first.result(ANSWER_WITHIN_SECONDS).customer_id == later.customer_id
    assert twin.result(ANSWER_WITHIN_SECONDS).customer_id == later.customer_id
    assert later.version == 15


def test_a_receipt_names_the_leaf_of_the_stored_header(amends: Desk) -> None:
    receipt = amends.post(late(), crm("C-1001")).receipts[1]
    stored = records(amends.engine)[1]
    assert stored.event_id == receipt.event_id
    from hashlib import sha256

    assert receipt.leaf_hash == sha256(b"\x00" + stored.header).hexdigest()


def test_the_same_key_again_gets_the_same_receipts_and_appends_nothing(amends: Desk) -> None:
    first = amends.post(late(), crm("C-1001"), key="k1", said="same")
    again = amends.post(late(), crm("C-1001"), key="k1", said="same")
    assert again.replayed
    assert not first.replayed
    assert again.receipts == first.receipts
    assert (again.position, again.version, again.ids) == (first.position, first.version, first.ids)
    assert count(amends.engine, events) == 5


def test_the_same_key_with_other_content_is_refused(amends: Desk) -> None:
    amends.post(late(), crm("C-1001"), key="k1", said="one")
    with pytest.raises(KeyReused):
        amends.post(late(), crm("C-1001"), key="k1", said="other")
    assert count(amends.engine, events) == 5


def test_the_same_key_of_another_source_is_another_command(amends: Desk) -> None:
    amends.post(late(), crm("C-1001"), key="k1", said="same", source="urn:a")
    other = amends.post(late(), crm("C-1001"), key="k1", said="same", source="urn:b")
    assert not other.replayed
    assert count(amends.engine, commands) == 2


def test_twins_at_the_same_time_both_get_the_one_answer(database: str, tmp_path: Path) -> None:
    with desk(database, tmp_path, start=False) as amends:
        futures = [amends.writer.submit(amends.order(late(), crm("C-1"), key="k", said="x")) for _ in range(20)]
        amends.writer.start()
        outcomes = [future.result(30) for future in futures]
        assert len({outcome.receipts for outcome in outcomes}) == 1
        assert sum(not outcome.replayed for outcome in outcomes) == 1
        assert count(amends.engine, events) == 5


def test_a_refusal_is_not_remembered_so_the_key_can_be_used_again(amends: Desk) -> None:
    opened = amends.post(late(), crm("C-1001"))
    with pytest.raises(NothingDone):
        amends.post(Resolve(how_code="x"), opened.customer_id, key="k", said="x")
    assert count(amends.engine, commands) == 0


def test_a_refused_order_never_takes_its_neighbours_down(database: str, tmp_path: Path) -> None:
    with desk(database, tmp_path, start=False) as amends:
        orders = [
            amends.order(late(), crm("C-1")),
            amends.order(Apologise(said="regret"), crm("C-2")),
            amends.order(late(), uuid4()),
            amends.order(late(), crm("C-3")),
        ]
        futures = [amends.writer.submit(order) for order in orders]
        amends.writer.start()
        assert futures[0].result(30).position == 5
        assert isinstance(futures[1].exception(30), UnknownRef)
        assert isinstance(futures[2].exception(30), UnknownRef)
        assert futures[3].result(30).position == 10
        assert [record.position for record in records(amends.engine)] == list(range(1, 11))


def test_a_later_command_in_the_page_sees_what_an_earlier_one_did(database: str, tmp_path: Path) -> None:
    with desk(database, tmp_path, start=False) as amends:
        reported = amends.writer.submit(amends.order(late(), crm("C-1")))
        apologised = amends.writer.submit(amends.order(Apologise(said="admits"), crm("C-1")))
        amends.writer.start()
        assert apologised.result(30).ids["recovery_id"] == reported.result(30).ids["recovery_id"]


def test_only_an_explicit_version_can_be_stale(amends: Desk) -> None:
    opened = amends.post(late(), crm("C-1001"))
    assert amends.post(Apologise(said="regret"), opened.customer_id, if_match=5).version == 6
    with pytest.raises(StaleVersion) as stale:
        amends.post(Apologise(said="regret"), opened.customer_id, if_match=5)
    assert stale.value.current_version == 6
    with pytest.raises(StaleVersion):
        amends.post(late(), crm("C-1001"), if_match=0)


def test_the_callers_event_id_is_taken_when_it_is_unused(amends: Desk) -> None:
    wanted = uuid4()
    first = amends.post(late(), crm("C-1"), event_id=wanted)
    second = amends.post(late(), crm("C-2"), event_id=wanted)
    assert first.receipts[0].event_id == wanted
    assert second.receipts[0].event_id != wanted


def test_what_has_not_happened_yet_is_refused(amends: Desk) -> None:
    soon = amends.clock.now + timedelta(minutes=5)
    assert amends.post(late(), crm("C-1"), occurred_at=soon).version == 5
    with pytest.raises(FutureEvent):
        amends.post(late(), crm("C-1"), occurred_at=soon + timedelta(seconds=1))


def test_old_news_is_taken_from_importers_only(amends: Desk) -> None:
    long_ago = amends.clock.now - timedelta(days=401)
    with pytest.raises(TooOld):
        amends.post(late(), crm("C-1"), occurred_at=long_ago)
    assert amends.post(late(), crm("C-1"), occurred_at=long_ago, importing=True).version == 2


def test_recorded_at_never_falls_when_the_clock_jumps_back(amends: Desk) -> None:
    amends.post(late(), crm("C-1"))
    amends.clock.forward(hours=-1)
    amends.post(late(), crm("C-2"))
    times = [record.recorded_at for record in records(amends.engine)]
    assert times == sorted(times)
    assert len(set(times)) == 1


def test_time_is_settled_before_a_command_is_decided(amends: Desk) -> None:
    opened = amends.post(late(severity=5), crm("C-1"))
    amends.clock.forward(minutes=20)
    outcome = amends.post(Apologise(said="admits"), opened.customer_id)
    stored = records(amends.engine)
    # What it causes (D3) stands beside what was missed, at the same moment.
    assert [record.topic for record in stored[-3:]] == ["deadline.missed", "escalation.raised", "apology.made"]
    assert {record.occurred_at for record in stored[-3:-1]} == {amends.clock.now - timedelta(minutes=5)}
    assert [receipt.topic for receipt in outcome.receipts] == ["apology.made"]


def test_an_order_without_a_command_only_settles(amends: Desk) -> None:
    opened = amends.post(late(severity=5), crm("C-1"))
    assert amends.post(None, opened.customer_id).receipts == ()
    amends.clock.forward(minutes=31)
    settled = amends.post(None, opened.customer_id)
    assert [receipt.topic for receipt in settled.receipts] == [
        "deadline.missed",
        "escalation.raised",
        "deadline.missed",
    ]
    assert amends.post(None, opened.customer_id).receipts == ()


def test_a_reference_that_leads_elsewhere_cannot_be_linked(amends: Desk) -> None:
    amends.post(OpenRelationship(), crm("C-1"))
    second = amends.post(OpenRelationship(), crm("C-2"))
    with pytest.raises(AlreadyExists):
        amends.post(LinkReference(kind="crm", value="C-1"), second.customer_id)
    linked = amends.post(LinkReference(kind="email", value="ΕΛΕΝΗ@example.org"), second.customer_id)
    from domain.milestones import Reference

    found = amends.post(OpenRelationship(), Reference(kind="email", value="ελενη@example.org"))
    assert found.customer_id == linked.customer_id
    assert found.receipts == ()


def test_an_unnamed_customer_can_be_opened_for_an_anonymous_complaint(amends: Desk) -> None:
    first, second = amends.post(late(), None), amends.post(late(), None)
    assert first.customer_id != second.customer_id


def test_a_colleague_named_in_a_treatment_report_is_kept_out_even_after_a_restart(
    database: str, tmp_path: Path
) -> None:
    with desk(database, tmp_path) as amends:
        opened = amends.post(late(), crm("C-1"))
        treated = ReportTreatment(treatment="rude", degree=2, by_role_class="front", by_colleague="login-7")
        amends.post(treated, opened.customer_id)
        named = amends.keyring.pseudonym("colleague", "login-7")
    with desk(database, tmp_path) as amends:
        explained = amends.order(AttributeCause(cause_class="training"), opened.customer_id)
        himself = Actor(kind="colleague", ref=f"u:{named}", role="sales", role_class="front")
        from dataclasses import replace

        with pytest.raises(OwnCase):
            amends.writer.submit(replace(explained, actor=himself)).result(30)
        assert amends.writer.submit(explained).result(30).receipts


def test_states_are_loaded_cold_and_caught_up_when_another_process_wrote(database: str, tmp_path: Path) -> None:
    with desk(database, tmp_path) as one, desk(database, tmp_path) as other:
        opened = one.post(late(), crm("C-1"))
        for said in ("regret", "admits", "admits_and_commits"):
            other.post(Apologise(said=said), opened.customer_id)
            one.post(Apologise(said=said), opened.customer_id)
        stored = records(one.engine)
    assert [record.version for record in stored] == list(range(1, 12))
    assert [record.position for record in stored] == list(range(1, 12))


def test_two_writers_and_many_callers_leave_no_gap_and_lose_nothing(database: str, tmp_path: Path) -> None:
    with desk(database, tmp_path) as one, desk(database, tmp_path) as other, ThreadPoolExecutor(16) as pool:

        def post(n: int) -> tuple[int, ...]:
            amends = (one, other)[n % 2]
            return tuple(r.position for r in amends.post(late(), crm(f"C-{n % 7}")).receipts)

        acknowledged = [position for positions in pool.map(post, range(160)) for position in positions]
        stored = records(one.engine)
    assert sorted(acknowledged) == [record.position for record in stored] == list(range(1, len(stored) + 1))
    versions: dict[UUID, list[int]] = {}
    for record in stored:
        versions.setdefault(record.stream_id, []).append(record.version)
    assert len(versions) == 7
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values())


def test_what_comes_while_others_have_the_lock_is_on_the_same_page(database: str, tmp_path: Path) -> None:
    pages: list[int] = []
    with desk(database, tmp_path, start=False, on_commit=pages.append) as amends:

        def come(_conn: Connection) -> None:
            coming.extend(amends.writer.submit(amends.order(late(), crm(f"C-{n}"))) for n in (2, 3))

        coming = [amends.writer.submit(amends.order(late(), crm("C-1")))]
        # A transaction of the writer's begins by waiting for the lock.
        event.listen(amends.engine, "begin", come, once=True)
        amends.writer.start()
        first = coming[0].result(ANSWER_WITHIN_SECONDS)
        second, third = (one.result(ANSWER_WITHIN_SECONDS) for one in coming[1:])
    assert first.position < second.position < third.position
    assert pages == [third.position]


def test_a_long_stream_gets_snapshots_and_loads_to_the_same_state(database: str, tmp_path: Path) -> None:
    with desk(database, tmp_path) as amends:
        customer = amends.post(late(), crm("C-1")).customer_id
        for _ in range(40):
            amends.post(Apologise(said="regret"), customer)
        with amends.engine.connect() as conn:
            assert list(conn.scalars(select(snapshots.c.version))) == [40]
        warm = amends.post(None, customer).version
    with desk(database, tmp_path) as amends:
        assert amends.post(Apologise(said="regret"), customer, if_match=warm).version == 46


def test_a_snapshot_of_another_shape_is_passed_over(database: str, tmp_path: Path) -> None:
    with desk(database, tmp_path) as amends:
        customer = amends.post(late(), crm("C-1")).customer_id
        for _ in range(20):
            amends.post(Apologise(said="regret"), customer)
        with amends.engine.begin() as conn:
            assert conn.execute(snapshots.update().values(format="relationship:older", state=b"{}")).rowcount == 1
    with desk(database, tmp_path) as amends:
        assert amends.post(Apologise(said="regret"), customer).version == 26


@pytest.mark.parametrize("pages", [1, 2])
def test_what_said_nothing_new_tells_the_version_of_the_day_when_it_comes_again(
    database: str, tmp_path: Path, pages: int
) -> None:
    with ExitStack() as stack:
        amends = stack.enter_context(desk(database, tmp_path, start=False))
        known = amends.order(OpenRelationship(), crm("C-1"), key="again")
        grows = amends.order(late(), crm("C-1"))
        futures = [amends.writer.submit(one) for one in (grows, known)]
        if pages == 2:
            amends.writer.start()
            assert [one.result(30).version for one in futures] == [5, 5]
            amends.writer.stop(30)
        later = amends if pages == 1 else stack.enter_context(desk(database, tmp_path, start=False))
        futures += [later.writer.submit(one) for one in (grows, known)]
        later.writer.start()
        grown, repeated = (one.result(30) for one in futures[2:])
        assert repeated.replayed
        assert repeated.version == grown.version == 10


def test_a_full_queue_says_busy_at_once(database: str, tmp_path: Path) -> None:
    with desk(database, tmp_path, start=False, queue_size=2) as amends:
        waiting = [amends.writer.submit(amends.order(late(), crm("C-1"))) for _ in range(2)]
        with pytest.raises(Busy):
            amends.writer.submit(amends.order(late(), crm("C-1")))
        amends.writer.start()
        assert [future.result(30).version for future in waiting] == [5, 10]


def test_few_large_orders_fill_the_queue_like_many_small_ones(database: str, tmp_path: Path) -> None:
    with desk(database, tmp_path, start=False, queue_bytes=1000) as amends:
        waiting = [amends.writer.submit(amends.order(late(), crm("C-1"), size=5000))]
        with pytest.raises(Busy):
            amends.writer.submit(amends.order(late(), crm("C-1"), size=1))
        amends.writer.start()
        assert waiting[0].result(30).version == 5
        assert amends.writer.submit(amends.order(late(), crm("C-1"), size=5000)).result(30).version == 10


def test_of_orders_handed_over_together_the_first_that_find_room_are_taken(database: str, tmp_path: Path) -> None:
    done = Event()
    with desk(database, tmp_path, start=False, queue_size=2) as amends:
        orders = [amends.order(late(), crm("C-1")) for _ in range(4)]
        together = amends.writer.hand_over(orders, done.set)
        assert not done.is_set()
        amends.writer.start()
        assert done.wait(30)
        *taken, third, fourth = together.answers()
        assert [one.version for one in taken] == [5, 10]
        assert isinstance(third, Busy)
        assert isinstance(fourth, Busy)


def test_what_nobody_waited_for_is_taken_out_of_the_line(database: str, tmp_path: Path) -> None:
    with desk(database, tmp_path, start=False) as amends:
        together = amends.writer.hand_over([amends.order(late(), crm("C-1"))], lambda: None)
        [answer] = together.answers()
        assert isinstance(answer, Unavailable)
        assert answer.facts()["recorded"] == "no"
        amends.writer.start()
        amends.post(late(), crm("C-2"))
        assert read_head(amends.engine.connect(), "main").position == 5


def test_a_stopping_writer_finishes_what_it_accepted(database: str, tmp_path: Path) -> None:
    with desk(database, tmp_path, start=False) as amends:
        accepted = [amends.writer.submit(amends.order(late(), crm(f"C-{n}"))) for n in range(300)]
        amends.writer.start()
        amends.writer.stop(30)
        assert all(future.done() and future.result(0).receipts for future in accepted)
        with pytest.raises(Busy):
            amends.writer.submit(amends.order(late(), crm("C-1")))


def without_its_connection(amends: Desk) -> UUID:
    """A customer whose failure was recorded on a connection that the server has ended since."""
    with listening(amends.engine) as conn:
        conn.execute("LISTEN amends")
        customer = amends.post(late(), crm("C-1")).customer_id
        # Otherwise it may be the word of this page that finds the connection gone, and takes a new one. It is
        # heard before whoever says it knows that it was said.
        assert next(conn.notifies(timeout=ANSWER_WITHIN_SECONDS))
        eventually(lambda: conn.execute(AT_WORK).fetchone() == (0,), "the word was said")
        kill = "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        conn.execute(f"{kill} AND datname = current_database()")
    return customer


def test_a_connection_that_ended_while_nobody_posted_costs_the_next_caller_nothing(
    postgres_database: str, tmp_path: Path
) -> None:
    with desk(postgres_database, tmp_path) as amends:
        customer = without_its_connection(amends)
        assert amends.post(Apologise(said="regret"), customer).version == 6
        assert [one.version for one in records(amends.engine)][-1] == 6


def test_a_page_that_had_begun_when_its_connection_ended_is_not_tried_again(
    postgres_database: str, tmp_path: Path
) -> None:
    begun, cuts = 0, False

    def clock() -> datetime:
        """The time, asked for at the beginning of each page, under the lock."""
        nonlocal begun
        begun += 1
        if cuts:
            amends.writer._connection().connection.driver_connection.close()  # type: ignore[union-attr]
        return NOON

    with desk(postgres_database, tmp_path, clock=clock, latest=lambda: NOON) as amends:
        customer = amends.post(late(), crm("C-1")).customer_id
        begun, cuts = 0, True
        with pytest.raises(Unavailable):
            amends.post(late(), crm("C-2"))
        assert begun == 1
        cuts = False
        assert amends.post(Apologise(said="regret"), customer).version == 6


def test_a_lost_database_is_told_and_the_writer_recovers_by_itself(postgres_database: str, tmp_path: Path) -> None:
    with proxied(postgres_database) as way, desk(way.url, tmp_path) as amends:
        customer = amends.post(late(), crm("C-1")).customer_id
        way.vanish()
        with pytest.raises(Unavailable) as told:
            amends.post(Apologise(said="regret"), customer)
        assert told.value.recorded == "no"
        way.come_back()
        assert amends.post(Apologise(said="regret"), customer).version == 6


def test_when_the_database_goes_while_a_page_is_taken_apart_the_rest_is_not_tried(
    database: str, tmp_path: Path
) -> None:
    with desk(database, tmp_path, start=False) as amends:
        faults = [ValueError("something about one order"), OperationalError("BEGIN", None, Exception("gone"))]
        begun = 0

        def fail(_conn: Connection) -> None:
            nonlocal begun
            begun += 1
            if faults:
                raise faults.pop(0)

        event.listen(amends.engine, "begin", fail)
        futures = [amends.writer.submit(amends.order(late())) for _ in range(5)]
        amends.writer.start()
        told = [one.exception(ANSWER_WITHIN_SECONDS) for one in futures]
        assert [(type(one), one.recorded) for one in told if isinstance(one, Unavailable)] == [
            (Unavailable, "no")
        ] * 5
        assert begun == 2
        assert amends.post(late()).position == 5


def test_a_key_drawn_for_a_refused_order_is_never_stored(amends: Desk) -> None:
    with pytest.raises(TooOld):
        amends.post(late(), crm("C-1"), occurred_at=amends.clock.now - timedelta(days=500))
    assert count(amends.engine, subject_keys) == 0
    amends.post(late(), crm("C-1"))
    assert count(amends.engine, subject_keys) == 1


def test_the_head_names_the_last_event(amends: Desk) -> None:
    amends.post(late(), crm("C-1"))
    with amends.engine.connect() as conn:
        head = read_head(conn, "main")
    assert (head.position, head.recorded_at) == (5, amends.clock.now)


def test_a_key_that_is_an_order_number_stands_nowhere_in_clear(amends: Desk) -> None:
    amends.post(late(), crm("C-1001"), key="order ΑΒ-7788", said="x")
    with amends.engine.connect() as conn:
        [row] = conn.execute(select(commands))
    # Of Greek letters too: four digits alone may stand in any digest.
    assert "ΑΒ-7788" not in repr(tuple(row))
    assert amends.post(late(), crm("C-1001"), key="order ΑΒ-7788", said="x").replayed


def test_an_erased_fingerprint_answers_that_the_customer_was_erased(amends: Desk) -> None:
    amends.post(late(), crm("C-1001"), key="k", said="x")
    with amends.engine.begin() as conn:
        conn.execute(commands.update().values(fingerprint=None))
    with pytest.raises(Erased):
        amends.post(late(), crm("C-1001"), key="k", said="x")


def test_one_customer_whose_key_cannot_be_used_takes_no_neighbour_down(database: str, tmp_path: Path) -> None:
    with desk(database, tmp_path) as amends:
        broken = amends.post(late(), crm("C-1")).customer_id
        whole = amends.post(late(), crm("C-2")).customer_id
        with amends.engine.begin() as conn:
            conn.execute(subject_keys.update().where(subject_keys.c.subject == broken).values(kek_id="another"))
    with desk(database, tmp_path, start=False) as amends:
        lost = amends.writer.submit(amends.order(HearConcern(summary="δεν άκουσε κανείς"), broken))
        heard = amends.writer.submit(amends.order(HearConcern(summary="nobody listened"), whole))
        amends.writer.start()
        assert isinstance(lost.exception(30), KeysBroken)
        assert heard.result(30).version == 6


def test_what_time_does_is_not_the_doing_of_the_command_that_came_next(amends: Desk) -> None:
    customer = amends.post(late(severity=5), crm("C-1")).customer_id
    amends.clock.forward(minutes=20)
    amends.post(Apologise(said="admits"), customer, correlation_id=uuid4(), causation_id=uuid4(), time_known=False)
    missed, apology = amends.mapper.facts(records(amends.engine)[-2:])
    assert (missed.correlation_id, missed.causation_id, missed.time_known) == (None, None, True)
    assert None not in (apology.correlation_id, apology.causation_id)
    assert not apology.time_known


def test_a_time_in_another_zone_is_the_same_time(amends: Desk) -> None:
    athens = timezone(timedelta(hours=2))
    moment = amends.clock.now.astimezone(athens)
    customer = amends.post(late(), crm("C-1"), occurred_at=moment).customer_id
    [fact] = amends.mapper.facts(records(amends.engine)[1:2])
    assert fact.occurred_at.utcoffset() == timedelta(0)
    [state] = load_states(amends, customer)
    assert fact.occurred_at == state.opened_at == moment


def load_states(amends: Desk, *streams: UUID) -> list[Relationship]:
    with amends.engine.connect() as conn:
        return list(load(conn, amends.mapper, "main", streams, Relationship).values())


def test_ids_of_nobody_push_no_customer_out() -> None:
    kept, customer = States(2), Relationship(uuid4(), version=5)
    kept.keep({customer.customer_id: customer}, 5)
    for _ in range(5):
        nobody = uuid4()
        kept.keep({nobody: Relationship(nobody)}, 5)
    assert kept.get(customer.customer_id) is customer
    assert len(kept) == 1


def test_a_stream_with_a_snapshot_is_loaded_through_the_index(sqlite_database: str, tmp_path: Path) -> None:
    with desk(sqlite_database, tmp_path) as amends:
        warm = amends.post(late(), crm("C-1")).customer_id
        for _ in range(100):
            amends.post(Apologise(said="regret"), warm)
        cold = amends.post(late(), crm("C-2")).customer_id
        asked: list[str] = []
        event.listen(amends.engine, "before_cursor_execute", lambda *a: asked.append((a[2], a[3])))
        with amends.engine.connect() as conn:
            loaded = load(conn, amends.mapper, "main", {warm, cold}, Relationship)
            plans = [
                row.detail
                for statement, given in list(asked)
                if "FROM events" in statement
                for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
            ]
    assert {state.version for state in loaded.values()} == {105, 5}
    assert len(plans) >= 2
    assert all("stream_id=?" in plan for plan in plans if "SEARCH" in plan or "SCAN" in plan)
