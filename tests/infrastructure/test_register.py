"""The register: colleagues act in the role they have here, and budgets are found, without asking each time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Engine, event

from domain.budgets.commands import OpenBudget
from domain.colleagues.post import ChangeRole, Join, Leave
from domain.colleagues.state import Colleague
from domain.kinds import Actor, Command
from domain.milestones import Reference
from domain.moves.apology import Apologise
from domain.moves.compensation import GrantCompensation
from domain.values import Money
from infrastructure.orders import Order, Outcome
from infrastructure.recorder import read_records
from infrastructure.states import load
from tests.support.careers import known_as
from tests.support.given import refused
from tests.support.writing import ANSWER_WITHIN_SECONDS, Desk, crm, desk, late

MECHANIC = Join(role="mechanic", role_class="back", team="workshop")
CLAIMED = Actor(kind="colleague", ref=f"u:{known_as('mechanic')}", role="manager", role_class="manager")


@pytest.fixture
def amends(database: str, tmp_path: Path) -> Iterator[Desk]:
    with desk(database, tmp_path) as amends:
        yield amends


def join(amends: Desk, command: Command = MECHANIC) -> Outcome:
    return amends.post(command, known_as("mechanic"))  # type: ignore[arg-type]


def claiming(amends: Desk, customer: UUID) -> Order:
    """An apology by somebody who is said to be a manager."""
    return replace(amends.order(Apologise(said="regret"), customer), actor=CLAIMED)


def act(amends: Desk, customer: UUID) -> tuple[str, str]:
    """The role and class in which his apology was recorded."""
    return role_of(amends, amends.writer.submit(claiming(amends, customer)).result(ANSWER_WITHIN_SECONDS))


def role_of(amends: Desk, outcome: Outcome) -> tuple[str, str]:
    with amends.engine.connect() as conn:
        [record] = read_records(conn, "main", outcome.position - 1, 1)
        actor = amends.mapper.fact(record).actor
    return actor.role, actor.role_class


def test_before_he_joined_his_role_is_the_one_that_is_said(amends: Desk):
    customer = amends.post(late(), crm("C-1")).customer_id
    assert act(amends, customer) == ("manager", "manager")


def test_from_then_on_it_is_the_one_he_has_here(amends: Desk):
    customer = amends.post(late(), crm("C-1")).customer_id
    assert act(amends, customer) == ("manager", "manager")
    join(amends)
    assert act(amends, customer) == ("mechanic", "back")
    join(amends, ChangeRole(role="technician"))
    assert act(amends, customer) == ("technician", "back")
    join(amends, Leave())
    # Whoever left leads nobody any more, whatever the caller says.
    assert act(amends, customer) == ("other", "front")


def test_a_join_counts_for_what_follows_on_the_same_page(database: str, tmp_path: Path):
    with desk(database, tmp_path) as before:
        customer = before.post(late(), crm("C-1")).customer_id
    with desk(database, tmp_path, start=False) as amends:
        first = amends.writer.submit(claiming(amends, customer))
        amends.writer.submit(amends.order(MECHANIC, known_as("mechanic")))  # type: ignore[arg-type]
        last = amends.writer.submit(claiming(amends, customer))
        amends.writer.start()
        outcomes = [one.result(ANSWER_WITHIN_SECONDS) for one in (first, last)]
        assert [role_of(amends, one) for one in outcomes] == [("manager", "manager"), ("mechanic", "back")]


def test_a_join_in_another_process_is_heard_of(database: str, tmp_path: Path):
    with desk(database, tmp_path) as one, desk(database, tmp_path) as other:
        customer = one.post(late(), crm("C-1")).customer_id
        assert act(other, customer) == ("manager", "manager")
        join(one)
        assert act(other, customer) == ("mechanic", "back")
        join(one, ChangeRole(role="technician"))
        assert act(other, customer) == ("technician", "back")


def test_a_process_that_begins_later_knows_it(database: str, tmp_path: Path):
    with desk(database, tmp_path) as before:
        customer = before.post(late(), crm("C-1")).customer_id
        join(before)
    with desk(database, tmp_path) as amends:
        assert act(amends, customer) == ("mechanic", "back")


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """Every statement that is executed meanwhile."""
    heard: list[str] = []

    def hear(conn: object, cursor: object, statement: str, *rest: object) -> None:
        heard.append(statement)

    event.listen(engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(engine, "before_cursor_execute", hear)


def test_where_nobody_joined_an_act_of_a_colleague_asks_the_database_nothing_more(
    sqlite_database: str, tmp_path: Path
):
    # On PostgreSQL most statements go past the library that could be asked for them.
    with desk(sqlite_database, tmp_path) as amends:
        customer = amends.post(late(), crm("C-1")).customer_id
        act(amends, customer)
        with statements(amends.engine) as of_service:
            amends.post(Apologise(said="regret"), customer)
        with statements(amends.engine) as of_colleague:
            amends.writer.submit(claiming(amends, customer)).result(ANSWER_WITHIN_SECONDS)
    assert of_service
    assert of_colleague == of_service


def test_a_colleague_is_found_again_from_his_snapshot(amends: Desk):
    join(amends)
    for nth in range(25):
        join(amends, ChangeRole(role=f"role-{nth}"))
    with amends.engine.connect() as conn:
        found = load(conn, amends.mapper, "main", [known_as("mechanic")], Colleague)[known_as("mechanic")]
    assert (found.version, found.role, found.team) == (26, "role-24", "workshop")


def test_a_customer_whose_id_is_said_to_be_a_colleague_stays_a_customer(amends: Desk):
    customer = amends.post(late(), crm("C-1")).customer_id
    posing = replace(CLAIMED, ref=f"u:{customer}")
    order = replace(amends.order(Apologise(said="regret"), customer), actor=posing)
    assert role_of(amends, amends.writer.submit(order).result(ANSWER_WITHIN_SECONDS)) == ("manager", "manager")
    assert act(amends, customer) == ("manager", "manager")


def given(amends: Desk, number: str) -> Outcome:
    """What became of a voucher of ten euros that the mechanic gives to a customer."""
    customer = amends.post(late(), crm(number)).customer_id
    order = amends.order(GrantCompensation(kind="voucher", cost=Money(minor=1000, currency="EUR")), customer)
    return amends.writer.submit(replace(order, actor=CLAIMED)).result(ANSWER_WITHIN_SECONDS)


def test_a_grant_looks_for_budgets_once_and_not_for_each_that_might_be(sqlite_database: str, tmp_path: Path):
    with desk(sqlite_database, tmp_path) as amends:
        customer = amends.post(late(), crm("C-1")).customer_id
        command = GrantCompensation(kind="voucher", cost=Money(minor=1000, currency="EUR"), cost_centre="bar")
        counts = []
        for _ in range(2):
            with statements(amends.engine) as asked:
                amends.post(command, customer)
            counts.append(sum("FROM subject_lookup" in one for one in asked))
    # Of a dozen periods in two cost centres none is asked for by itself.
    assert counts == [1, 0]


def test_a_budget_that_another_process_opens_pays_from_the_next_grant_on(database: str, tmp_path: Path):
    with desk(database, tmp_path) as here, desk(database, tmp_path) as there:
        assert [one.topic for one in given(here, "C-1").receipts][-1] == "authority.used"
        opening = OpenBudget(cost_centre="main", period="2026", limit=Money(minor=1500, currency="EUR"))
        named = Reference.model_construct(kind=opening.reference[0], value=opening.reference[1])
        there.writer.submit(there.order(opening, named)).result(ANSWER_WITHIN_SECONDS)
        assert [one.topic for one in given(here, "C-2").receipts][-1] == "compensation.reserved"
        with refused("budget_exhausted"):
            given(there, "C-3")


def opened(amends: Desk, currency: str = "EUR") -> None:
    """From now on the house keeps a budget of fifteen in this currency."""
    opening = OpenBudget(cost_centre="main", period="2026", limit=Money(minor=1500, currency=currency))
    named = Reference.model_construct(kind=opening.reference[0], value=opening.reference[1])
    amends.writer.submit(amends.order(opening, named)).result(ANSWER_WITHIN_SECONDS)


def test_i_10_who_keeps_budgets_gives_nothing_past_them_in_another_currency(database: str, tmp_path: Path):
    with desk(database, tmp_path) as here, desk(database, tmp_path) as there:
        given(here, "C-1")
        opened(there, "USD")
        for number, amends in (("C-2", here), ("C-3", there)):
            with refused("currency_mismatch", expected="USD", given="EUR"):
                given(amends, number)
        opened(here)
        assert [one.topic for one in given(there, "C-4").receipts][-1] == "compensation.reserved"


def test_i_10_what_budgets_there_are_is_asked_once(sqlite_database: str, tmp_path: Path):
    with desk(sqlite_database, tmp_path) as amends:
        opened(amends, "USD")
        counts = []
        for nth in range(2):
            with statements(amends.engine) as asked, refused("currency_mismatch"):
                given(amends, f"C-{nth}")
            counts.append(sum("FROM snapshots" in one for one in asked))
    assert counts[0] - counts[1] == 1
