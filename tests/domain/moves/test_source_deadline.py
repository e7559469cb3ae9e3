"""Source deadline: another system's promise, recorded and never fired."""

from domain.clocks import DeadlineMissed, DeadlineSet
from domain.kinds import COMMAND_OF_TYPE
from domain.moves.source_deadline import RecordSourceDeadline
from tests.support.given import refused, story
from tests.support.recoveries import PLUMS, minute, of, refused_when_erased, reported


def record(**fields) -> RecordSourceDeadline:
    told = {"recovery_id": PLUMS, "step": "response", "standard": "us_cfpb", "due_at": minute(900)}
    return RecordSourceDeadline(**(told | fields))


def test_a_deadline_of_another_system_is_recorded_and_never_fires():
    tale = reported(history=True).when(record(), importing=True)
    (deadline,) = tale.then(DeadlineSet)
    assert (deadline.step, deadline.due_at, deadline.standard) == ("response", minute(900), "us_cfpb")
    assert not of(tale).deadlines["response"].fires


def test_a_deadline_that_was_missed_is_recorded_as_missed():
    tale = reported(history=True).when(record(missed=True), importing=True)
    _, missed = tale.then(DeadlineSet, DeadlineMissed)
    assert (missed.step, missed.due_at, missed.standard) == ("response", minute(900), "us_cfpb")
    assert of(tale).missed == ("response",)
    assert not of(tale).deadlines


def test_where_only_the_miss_is_known_only_the_miss_is_recorded():
    command = record(step="remedy", standard="source", due_at=None, missed=True)
    (missed,) = reported(history=True).when(command, importing=True).then(DeadlineMissed)
    assert (missed.step, missed.due_at) == ("remedy", None)


def test_a_deadline_without_a_time_that_was_not_missed_says_nothing():
    with refused("invalid_value", field="due_at"):
        reported(history=True).when(record(due_at=None), importing=True)


def test_only_an_import_records_it_and_nobody_posts_it_as_an_event():
    assert RecordSourceDeadline.SCOPE == "import"
    assert not {DeadlineSet.TYPE, DeadlineMissed.TYPE} & set(COMMAND_OF_TYPE)
    with refused("missing_scope", scope="import"):
        reported(history=True).when(record())


def test_it_never_takes_the_place_of_a_clock_of_the_house():
    with refused("invalid_value", field="recovery_id"):
        reported().when(record(step="remedy"), importing=True)


def test_it_needs_a_recovery_of_a_customer_we_remember():
    with refused("unknown_ref", what="recovery", ref=str(PLUMS)):
        story().when(record(), importing=True)
    refused_when_erased(record())
