"""The house as writers know it: what one process publishes, every other goes by with its next page."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Engine, make_url, select, update

from domain.kinds import Command
from domain.milestones import Reference
from domain.moves.contact import UpdateCustomer
from domain.publishing import REFERENCE, PublishStandard, RetireStandard
from infrastructure.engine import make_engine
from infrastructure.orders import Outcome
from infrastructure.recorder import to_record
from infrastructure.rehearsal import Rehearsal
from infrastructure.standards import read_publications
from infrastructure.states import SNAPSHOT_EVERY
from infrastructure.tables import events, snapshots
from tests.support.given import refused
from tests.support.http import service
from tests.support.writing import Desk, crm, desk, late

NAME = Reference.model_construct(kind=REFERENCE, value="targets:shipped")


@pytest.fixture
def amends(database: str, tmp_path: Path) -> Iterator[Desk]:
    """A writer on a ledger of the test's own."""
    with desk(database, tmp_path) as one:
        yield one


def promise(minutes: int) -> PublishStandard:
    """The promise to answer at every severity within so many minutes."""
    steps = ("acknowledge", "first_action", "update_interval", "remedy", "compensation", "follow_up")
    body = {"allowances": {step: [f"{minutes} min"] * 5 for step in steps}}
    return PublishStandard.model_validate({"kind": "targets", "name": "shipped", "body": body})


def allowed(told: Desk, number: str) -> timedelta:
    """How long the house gives itself to answer a failure that is reported now."""
    customer = told.post(late(), crm(number)).customer_id
    with told.engine.connect() as conn:
        rows = conn.execute(select(events).where(events.c.stream_id == customer, events.c.topic == "deadline.set"))
        facts = [told.mapper.known(to_record(row)) for row in rows]
    [due] = [fact.event.due_at for fact in facts if fact.event.step == "acknowledge"]
    return due - told.clock.now


def publish(told: Desk, command: Command) -> Outcome:
    """The outcome of a command on the promises of the house."""
    return told.writer.submit(told.order(command, NAME)).result(30)


def test_what_is_published_counts_at_once(amends: Desk):
    assert allowed(amends, "C-1") == timedelta(minutes=240)
    publish(amends, promise(10))
    assert allowed(amends, "C-2") == timedelta(minutes=10)


def test_what_another_process_publishes_is_heard(database: str, tmp_path: Path):
    with desk(database, tmp_path) as here, desk(database, tmp_path) as there:
        customer = here.post(late(), crm("C-0")).customer_id
        there.post(UpdateCustomer(kind="progress"), customer)
        publish(there, promise(10))
        assert allowed(here, "C-1") == timedelta(minutes=10)
        publish(here, promise(20))
        assert allowed(there, "C-2") == timedelta(minutes=20)
        there.post(late(), crm("C-3"))
        publish(there, RetireStandard(kind="targets", name="shipped"))
        assert allowed(here, "C-4") == timedelta(minutes=240)


def test_a_writer_that_starts_anew_knows_what_was_published(database: str, tmp_path: Path):
    with desk(database, tmp_path) as before:
        publish(before, promise(10))
    with desk(database, tmp_path) as anew:
        assert allowed(anew, "C-1") == timedelta(minutes=10)


def test_a_standard_that_begins_later_holds_from_that_moment_on(amends: Desk):
    begins = amends.clock.now + timedelta(hours=1)
    publish(amends, promise(10).model_copy(update={"effective_from": begins}))
    assert allowed(amends, "C-1") == timedelta(minutes=240)
    amends.clock.forward(hours=1)
    assert allowed(amends, "C-2") == timedelta(minutes=10)


def test_a_refused_publication_changes_nothing(amends: Desk):
    publish(amends, promise(10))
    past = promise(99).model_copy(update={"effective_from": amends.clock.now - timedelta(days=1)})
    with refused("invalid_value"):
        publish(amends, past)
    assert allowed(amends, "C-1") == timedelta(minutes=10)


def test_a_customers_command_never_lands_in_the_stream_of_a_standard(amends: Desk):
    stream: UUID = publish(amends, promise(10)).customer_id
    with refused("unknown_ref"):
        amends.post(UpdateCustomer(kind="progress"), stream)
    with refused("unknown_ref"):
        amends.post(late(), stream)
    customer = amends.post(late(), crm("C-1")).customer_id
    with refused("unknown_ref"):
        amends.writer.submit(amends.order(promise(11), customer)).result(30)


def test_a_standard_with_many_versions_is_read_from_its_snapshot(database: str, tmp_path: Path):
    with desk(database, tmp_path) as before:
        for minutes in range(1, SNAPSHOT_EVERY + 3):
            publish(before, promise(minutes))
        with before.engine.connect() as conn:
            kept = conn.execute(select(snapshots).where(snapshots.c.format.like("publication:%"))).all()
        assert kept
    with desk(database, tmp_path) as anew:
        assert allowed(anew, "C-1") == timedelta(minutes=SNAPSHOT_EVERY + 2)
        publish(anew, promise(90))
        assert allowed(anew, "C-2") == timedelta(minutes=90)


def test_what_was_retired_does_not_come_back_before_the_next_version_begins(amends: Desk):
    publish(amends, promise(10))
    publish(amends, RetireStandard(kind="targets", name="shipped"))
    amends.clock.forward(hours=1)
    publish(amends, promise(20).model_copy(update={"effective_from": amends.clock.now + timedelta(hours=1)}))
    assert allowed(amends, "C-1") == timedelta(minutes=240)
    amends.clock.forward(hours=1)
    assert allowed(amends, "C-2") == timedelta(minutes=20)


# Who only reads writes nothing, whatever he finds.

VERSIONS = SNAPSHOT_EVERY + 2
Kept = list[tuple[UUID, int, bytes]]


def kept(engine: Engine) -> Kept:
    """Every snapshot there is."""
    columns = (snapshots.c.stream_id, snapshots.c.version, snapshots.c.state)
    with engine.connect() as conn:
        return [
            (stream, version, state)
            for stream, version, state in conn.execute(select(*columns).order_by(*columns))
        ]


def spoilt(told: Desk) -> tuple[UUID, Kept]:
    """A customer and the promises of the house, both with a long story and a damaged snapshot."""
    customer = told.post(late(), crm("C-1")).customer_id
    for minutes in range(1, VERSIONS + 1):
        publish(told, promise(minutes))
        told.post(UpdateCustomer(kind="progress"), customer)
    with told.engine.begin() as conn:
        conn.execute(update(snapshots).values(state=b"spoilt"))
    found = kept(told.engine)
    assert len(found) == 2
    return customer, found


def test_answers_from_damaged_snapshots_are_right_and_leave_them_as_they_are(database: str, tmp_path: Path):
    with service(database, tmp_path) as amends:
        own = amends.container
        customer, damaged = spoilt(Desk(own.working, own.keyring, own.mapper, own.writer, amends.clock))
        shown = amends.get("/v1/standards")["data"]
        [promised] = [one for one in shown if one["kind"] == "targets" and one["name"] == "shipped"]
        assert (promised["version"], promised["body"]["allowances"]["acknowledge"][0]) == (
            VERSIONS,
            f"{VERSIONS} min",
        )
        amends.get(f"/v1/customers/{customer}/next-step")
        amends.get(f"/v1/customers/{customer}/brief")
        check = f"/v1/authority/check?customer_id={customer}&kind=voucher&amount=1.00"
        assert amends.get(check)["verdict"] == "granted"
        assert kept(own.engine) == damaged


def test_a_server_that_takes_no_writes_answers_readers_from_damaged_snapshots(
    postgres_database: str, tmp_path: Path
):
    with desk(postgres_database, tmp_path) as amends:
        customer, damaged = spoilt(amends)
        address = make_url(postgres_database).update_query_dict({"options": "-c default_transaction_read_only=on"})
        reading = make_engine(address, reading=True)
        with reading.connect() as conn:
            [published] = read_publications(conn, amends.mapper, "main").values()
        rehearsal = Rehearsal(
            reading, amends.mapper, amends.keyring, ledger="main", clock=amends.clock, max_backdate_days=400
        )
        answer = rehearsal.answer(amends.order(UpdateCustomer(kind="progress"), customer))
        reading.dispose()
        assert published.version == VERSIONS
        assert isinstance(answer, Outcome)
        assert kept(amends.engine) == damaged


def test_the_writer_replaces_what_is_damaged(database: str, tmp_path: Path):
    with desk(database, tmp_path) as before:
        customer, damaged = spoilt(before)
    with desk(database, tmp_path) as anew:
        anew.post(UpdateCustomer(kind="progress"), customer)
        found = kept(anew.engine)
    assert {stream for stream, _, _ in found} == {stream for stream, _, _ in damaged}
    assert all(state != b"spoilt" for _, _, state in found)
