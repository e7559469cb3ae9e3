"""No personal datum leaves its encrypted section: not into headers, projections, log lines, metrics or URLs.

Canaries go through every personal field of every command, by every route, in requests that are taken and in
requests that are refused. The service runs as a process of its own; then everything it left is searched.
"""

import json
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from api.app import document
from domain.kinds import COMMAND_OF_TYPE, COMMANDS, Command
from domain.lessons.commands import DraftLesson, ReviseLesson
from domain.publishing import PublishStandard
from infrastructure.api_keys import ApiKeys
from infrastructure.engine import make_engine
from projections import ALL
from tests.support.canaries import NAME, Canaries, kept, traces
from tests.support.exposition import Exposition
from tests.support.processes import House, Serving, Working, client, house

LATER = (datetime.now(UTC) + timedelta(days=30)).isoformat()
TYPE_OF = {kind.PATH: event_type for event_type, kind in COMMAND_OF_TYPE.items()}
FOR_OPERATORS = {"stream_parked", "stream_still_parked", "stream_released", "settle_failed"}
"""Lines about what got stuck: whoever mends it must know whose stream it is."""
Post = Callable[[str, str, dict[str, Any]], httpx2.Response]
"""(path of the command, whom or what it is about, body) -> the answer."""
IN_VAIN = Canaries().word("in vain")
"""Why something is given, told where nobody asks: such words are kept nowhere, not even encrypted."""
ABOVE = {"amount": "120.00", "currency": "EUR"}
"""More than the front line gives without asking."""
MANAGER = {"role_class": "manager"}
HOUSES_OWN = {"title", "legal_ref", "note", "text"}
"""Texts in standards and lessons: about nobody, and open to whoever audits what was decided or told."""


@dataclass
class Cage:
    """The running service, the canaries let out in it, and every answer it gave."""

    home: House
    http: httpx2.Client
    canaries: Canaries = field(default_factory=Canaries)
    answers: list[httpx2.Response] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.import_key = self.key("append", "read", "act_for", "import")

    def key(self, *scopes: str) -> dict[str, str]:
        engine = make_engine(self.home.database)
        try:
            return {"Authorization": f"Bearer {ApiKeys(engine).create('main', 'test', scopes, ('urn:test',))}"}
        finally:
            engine.dispose()

    def ask(self, method: str, url: str, **more: Any) -> httpx2.Response:
        answer = self.http.request(method, url, **more)
        self.answers.append(answer)
        return answer

    @property
    def last(self) -> int:
        """The last position that an answer told."""
        return max(int(one.headers.get("amends-position", 0)) for one in self.answers)

    # The routes by which a command goes in.

    def direct(self, path: str, customer: str, body: dict[str, Any]) -> httpx2.Response:
        return self.ask("POST", f"/v1/customers/{customer}/{path}", json=body)

    def importing(self, path: str, customer: str, body: dict[str, Any]) -> httpx2.Response:
        return self.ask("POST", f"/v1/customers/{customer}/{path}", json=body, headers=self.import_key)

    def to_colleague(self, path: str, colleague: str, body: dict[str, Any]) -> httpx2.Response:
        return self.ask("POST", f"/v1/colleagues/{colleague}/{path}", json=body)

    def to_the_house(self, path: str, address: str, body: dict[str, Any]) -> httpx2.Response:
        return self.ask("POST", address, json=body)

    def structured(self, path: str, customer: str, body: dict[str, Any]) -> httpx2.Response:
        return self._event("application/cloudevents+json", self._as_event(path, customer, body))

    def batch(self, path: str, customer: str, body: dict[str, Any]) -> httpx2.Response:
        answer = self._event("application/cloudevents-batch+json", [self._as_event(path, customer, body)])
        assert answer.status_code == 200
        [result] = answer.json()["results"]
        assert result["status"] in (201, 202), result
        return answer

    def binary(self, path: str, customer: str, body: dict[str, Any]) -> httpx2.Response:
        event = self._as_event(path, customer, body)
        headers = {f"ce-{name}": value for name, value in event.items() if name != "data"}
        return self.ask("POST", "/v1/events", json=event["data"], headers=headers)

    def _as_event(self, path: str, customer: str, body: dict[str, Any]) -> dict[str, Any]:
        attributes = {"specversion": "1.0", "id": str(uuid4()), "source": "urn:test", "type": TYPE_OF[path]}
        return {**attributes, "subject": customer, "data": body}

    def _event(self, content_type: str, body: Any) -> httpx2.Response:
        return self.ask("POST", "/v1/events", content=json.dumps(body), headers={"Content-Type": content_type})

    # What is told.

    def told(self, post: Post, on: str, path: str, **fixed: Any) -> dict[str, Any]:
        """The command with a canary in every personal field, posted by this route; it must be taken."""
        place = f"{post.__name__}.{path}.{len(self.answers)}"
        body = self.canaries.fill(COMMANDS[path], fixed, place)
        by = {"colleague_id": self.canaries.colleague(f"{place}.by"), "role": "waiter"}
        body["by"] = by | body.get("by", {})
        answer = post(path, on, body)
        assert answer.status_code in (200, 201, 202), (path, answer.text)
        self.paths.add(path)
        return body

    def opened(self, route: str) -> str:
        """A new customer, known by two canaries."""
        place = f"{route}.open"
        body = self.canaries.fill(COMMANDS["open"], {}, place)
        body["customer"] = {"kind": "crm", "value": self.canaries.word(f"{place}.customer")}
        answer = self.ask("POST", "/v1/customers", json=body)
        assert answer.status_code == 201, answer.text
        self.paths.add("open")
        return str(answer.json()["customer_id"])


def addresses() -> dict[str, str]:
    """Where every command is posted to, by its path, as the API's description has it."""
    posted = {verbs["post"]["operationId"]: at for at, verbs in document()["paths"].items() if "post" in verbs}
    return {path: posted["open_customer" if path == "open" else path.replace("-", "_")] for path in COMMANDS}


def tell(cage: Cage, post: Post) -> str:
    """One customer's story in which every command that can be posted by this route comes at least once."""
    customer = cage.opened(post.__name__)
    recovery, obstacle, commitment, remedy, escalation = (str(uuid4()) for _ in range(5))
    gift, other_gift, asked, asked_too_much = (str(uuid4()) for _ in range(4))

    def say(path: str, **fixed: Any) -> dict[str, Any]:
        return cage.told(post, customer, path, **fixed)

    say("link-reference", kind="phone")
    say("record-expectation", topic="speed")
    say("set-contact-preferences", channels=["phone"])
    say("declare-value", amount={"amount": "15.00", "currency": "EUR"}, per="day")
    say("complete-encounter", touchpoint="counter")
    reported = say("report-failure", what="badly_done", severity=3, fault="firm", recovery_id=recovery)
    say("acknowledge", about={"order": reported["order"], "report": reported["report"]})
    say("assign", team="kitchen")
    say("hand-off", team="kitchen")
    say("hear-concern", compassion="named_feeling")
    say("update-customer", kind="progress")
    say("contact-again", channel="phone")
    say("request-information", questions=2)
    say("reassess", severity=4)
    say("apologise", said="regret")
    say("report-obstacle", kind="no_training", topic="brakes")
    say("report-obstacle", kind="policy_block", obstacle_id=obstacle)
    say("remove-obstacle", obstacle_id=obstacle, how="workaround")
    say("make-commitment", due_at=LATER, commitment_id=commitment)
    say("keep-commitment", commitment_id=commitment)
    say("escalate", trigger="legal")
    say("settle-escalation")
    say("promise-remedy", remedy_kind="repair", remedy_id=remedy)
    say("start-remedy", remedy_id=remedy)
    say("deliver-remedy", remedy_id=remedy, resolves="partial", meets_desire=True)
    say("fail-remedy", remedy_id=remedy)
    say("refuse-request", reason="limit_reached")
    say("grant-compensation", kind="free_item", compensation_id=gift, reason=IN_VAIN)
    say("deliver-compensation", compensation_id=gift)
    say("reverse-compensation", compensation_id=gift, cause="returned")
    say("grant-compensation", kind="points", compensation_id=other_gift, reason=IN_VAIN)
    say("turn-down-offer", compensation_id=other_gift)
    say("grant-compensation", kind="voucher", cost=ABOVE, compensation_id=asked)
    say("decide-compensation", approve=True, compensation_id=asked, reason=IN_VAIN, by=MANAGER)
    say("grant-compensation", kind="cash", cost=ABOVE, compensation_id=asked_too_much)
    say("decide-compensation", approve=False, compensation_id=asked_too_much, by=MANAGER)
    say("invite-back", what="coffee", valid_until=LATER)
    say("attribute-cause", cause_class="supplier")
    say("waive-step", step="compassion", reason="customer_request")
    say("resolve")
    say("schedule-follow-up", due_at=LATER)
    say("attempt-follow-up", outcome="no_answer")
    say("complete-follow-up", outcome="satisfied", stated={"instrument": "CSAT", "value": 4})
    named = say("report-treatment", treatment="last_word")["by_colleague"]
    say("answer-treatment", by={"colleague_id": named})
    say("apologise", said="admits", recovery_id=recovery)
    say("resolve", how_code="replaced")
    say("reopen", cause="recurrence", recovery_id=recovery)
    say("close", outcome="withdrawn", recovery_id=recovery)
    say("make-gesture", kind="surprise", gesture_id=escalation)
    say("state-satisfaction", instrument="VERBATIM", about="relationship")
    say("announce-leaving")
    say("report-loss", basis="told_us")
    say("welcome-back")
    return customer


def tell_the_rest(cage: Cage) -> None:
    """What can only be posted as a command, or only by an importer."""
    customer = cage.opened("rest")
    cage.told(
        cage.direct,
        customer,
        "instant-remedy",
        failure={"what": "late", "detection": "colleague_noticed", "site": "harbour"},
        apology={"said": "admits"},
        remedy={"remedy_kind": "refund"},
        compensation={"kind": "upgrade", "reason": IN_VAIN},
        invitation={"what": "coffee", "valid_until": LATER},
    )
    cage.told(cage.importing, customer, "report-failure", what="late", history=True, recovery_id=str(uuid4()))
    # The first is resolved and still open too, so the old one must be named.
    last = cage.answers[-1].json()["ids"]["recovery_id"]
    cage.told(
        cage.importing,
        customer,
        "record-source-deadline",
        step="response",
        standard="sla",
        missed=True,
        recovery_id=last,
    )


def tell_of_a_colleague(cage: Cage) -> None:
    """Everything that is said of somebody who works here, known by a canary himself."""
    colleague, asked = cage.canaries.colleague("colleague.address"), str(uuid4())

    def say(path: str, **fixed: Any) -> None:
        cage.told(cage.to_colleague, colleague, path, **fixed)

    say("join", role="mechanic", role_class="back", team="workshop")
    say("change-role", team="garage")
    say("set-capacity", points=3)
    say("record-absence", begins=LATER)
    say("complete-training", topic="brakes")
    say("set-naming-consent", given=True)
    say("ask-for-help", kind="tool", topic="lift", help_id=asked)
    say("answer-help", help_id=asked, refused=True, plan=None)
    say("ask-for-help", kind="tool", topic="lift", help_id=str(uuid4()))
    asked = cage.answers[-1].json()["ids"]["help_id"]
    say("answer-help", help_id=asked, reason=None)
    say("ask-for-help", kind="rule", topic="returns")
    say("leave")


def open_a_budget(cage: Cage) -> str:
    """The address of the budget out of which everything is paid that is granted afterwards."""
    limit = {"amount": "2000.00", "currency": "EUR"}
    period = str(datetime.now(UTC).year)
    cage.told(cage.to_the_house, "/v1/budgets", "open-budget", cost_centre="main", period=period, limit=limit)
    address = f"/v1/budgets/{cage.answers[-1].json()['budget_id']}"
    more = limit | {"amount": "2500.00"}
    cage.told(cage.to_the_house, f"{address}/raise", "raise-budget", limit=more)
    return address


def tell_of_a_rule(cage: Cage) -> None:
    """A rule of the house from its first day to its last. Its text is about nobody and stands in the clear."""
    rule = {"title": "No new date before the first attempt", "owner": "logistics", "hardness": "soft"}

    def say(address: str, path: str, **fixed: Any) -> None:
        cage.told(cage.to_the_house, f"/v1/standards{address}", path, **fixed)

    say("", "publish-standard", kind="rule", name="dates", body=rule)
    say("/rule/dates/review", "review-rule", decision="remove")
    say("/rule/dates/retire", "retire-standard")


def tell_of_a_lesson(cage: Cage) -> None:
    """A lesson of the house from its first day to its last. Its words name nobody and stand in the clear."""

    def say(address: str, path: str, **fixed: Any) -> None:
        cage.told(cage.to_the_house, address, path, **fixed)

    words = {"title": "{name} and the wiper", "text": "{name} changed it unasked."}
    say("/v1/lessons", "draft-lesson", kind="recognition", audience={}, **words)
    say("/v1/lessons", "draft-lesson", kind="recognition", **words)
    lesson = cage.answers[-1].json()["lesson_id"]
    say(f"/v1/lessons/{lesson}/revise", "revise-lesson", text="{name} changed a wiper.")
    say(f"/v1/lessons/{lesson}/approve", "approve-lesson")
    say(f"/v1/lessons/{lesson}/publish", "publish-lesson")
    say(f"/v1/feed/{lesson}/read", "read-lesson")
    say(f"/v1/feed/{lesson}/ack", "acknowledge-lesson")
    say(f"/v1/lessons/{lesson}/reconfirm", "reconfirm-lesson")
    say(f"/v1/lessons/{lesson}/retire", "retire-lesson")


def be_refused(cage: Cage, customer: str) -> None:
    """Everything that can go wrong, with canaries in it."""
    word = cage.canaries.word
    path = f"/v1/customers/{customer}/report-failure"
    fine = {"what": "late", "description": word("refused.description")}
    key = {"Idempotency-Key": "k-1"}
    assert cage.ask("POST", path, json=fine, headers=key).status_code == 201
    wrong, own = Canaries(), addresses()

    for command, kind in COMMANDS.items():
        body = wrong.fill(kind, {}, command)
        # At its own address, in which a canary stands for whatever is no customer, and where there may be none.
        where = re.sub("{.*?}", "qanary0001@mail.example", own[command].replace("{customer_id}", customer))
        for changed in (body | {"occurred_at": wrong.word("time")}, body | {"mood": wrong.word("extra")}):
            for address in (where, f"/v1/customers/{customer}/{command}"):
                answer = cage.ask("POST", address, json=changed)
                assert 400 <= answer.status_code < 500, (command, answer.text)
        answer = cage.ask("POST", f"/v1/customers/{uuid4()}/{command}", json=body)
        assert 400 <= answer.status_code < 500, (command, answer.text)

    text = wrong.word("somewhere")
    said = {"what": "late", "description": text}
    kinds = {"Content-Type": "application/json"}
    event = {"Content-Type": "application/cloudevents+json"}

    def post_event(**changes: Any) -> httpx2.Response:
        attributes = {
            "specversion": "1.0",
            "id": str(uuid4()),
            "source": "urn:test",
            "type": TYPE_OF["report-failure"],
        }
        return cage.ask("POST", "/v1/events", content=json.dumps(attributes | changes), headers=event)

    refused = [
        cage.ask("POST", path, json=said, headers=key),  # the key was used with other content
        cage.ask("POST", path, json=said | {"what": text}),
        cage.ask("POST", path, json=said | {"severity": text}),
        cage.ask("POST", path, json=said | {"recovery_id": text}),
        cage.ask("POST", path, json=said | {"customer_loss": {"money": {"amount": text, "currency": "EUR"}}}),
        cage.ask("POST", path, json=said | {"description": text * 2000}),
        cage.ask("POST", path, json=said | {"by": {"colleague_id": text * 5}}),
        cage.ask("POST", path, json=said | {"occurred_at": "2999-01-01T00:00:00Z"}),
        cage.ask("POST", path, json=said, headers={"If-Match": '"v1"'}),
        cage.ask("POST", path, json=said, headers={"If-Match": '"v1"', "traceparent": "qanary0001"}),
        cage.ask("POST", path, json=said, headers={"If-Match": '"v1"', "Request-Id": "qanary0001"}),
        cage.ask("POST", path, json=said, headers={"If-Match": "qanary0001@mail.example"}),
        cage.ask("POST", path, json=said, headers={"Idempotency-Key": "qanary 0001 @mail.example"}),
        cage.ask("POST", path, json=said, headers={"Authorization": "Bearer qanary0001"}),
        cage.ask("POST", path, json=said, headers=cage.key("read")),
        cage.ask("POST", path, content=text.encode(), headers=kinds),
        cage.ask("POST", path, content=json.dumps(said).encode()[:-1], headers=kinds),
        cage.ask("POST", path, content=b'{"description": "\\ud800 qanary"}', headers=kinds),
        cage.ask("POST", path, content=b'{"description": "\\u0000 qanary"}', headers=kinds),
        cage.ask("POST", path, content=text.encode(), headers={"Content-Type": "text/qanary0001"}),
        cage.ask("POST", path, content=b'"' + text.encode() * 20_000 + b'"', headers=kinds),
        cage.direct("apologise", customer, {"said": "admits", "about": {"order": text[:90]}}),
        cage.ask("POST", f"/v1/customers/{customer}/qanary0001", json=said),
        cage.ask("POST", "/v1/events", content=json.dumps(said), headers=event),
        cage.ask("POST", "/v1/events", content=text.encode(), headers=event),
        cage.ask("POST", "/v1/events", json=said, headers={"ce-id": "%ff qanary0001", "ce-type": "qanary0001"}),
        post_event(type="qanary0001", data=said),
        post_event(type="amends.budget.opened.v1", data=said),
        post_event(type="amends.standard.published.v1", subject=text, data=said),
        post_event(source="urn:qanary0001", data=said),
        post_event(subject=text, data=said),
        post_event(time=text, data=said),
        cage.ask("GET", "/v1/customers/qanary0001@mail.example"),
        cage.ask("GET", f"/v1/customers/{customer}", params={"at_time": text}),
        cage.ask("GET", "/v1/events", params={"after": text}),
        cage.ask("GET", "/v1/events", params={"personal": text}),
        cage.ask("GET", "/v1/recoveries", params={"team": text}),
        cage.ask("GET", "/v1/recoveries", params={"owner": text}),
        cage.ask("GET", "/v1/recoveries", params={"after": text}),
        cage.ask("GET", "/v1/feed", params={"limit": text}),
        cage.ask("GET", f"/problems/{NAME}"),
        cage.ask("GET", f"/v1/schemas/{NAME}"),
        cage.ask("GET", f"/{NAME}?q={NAME}"),
        cage.ask("PUT", path, json=said),
    ]  # fmt: skip
    assert [one.status_code for one in refused if not 400 <= one.status_code < 500] == []
    # A parameter nobody knows is refused by its name; what it said must not come back.
    for address in ("/v1/events", "/v1/recoveries", "/v1/feed", f"/v1/customers/{customer}/timeline"):
        assert cage.ask("GET", address, params={"limit": "1", "q": NAME}).status_code == 422


def talk_nonsense(cage: Cage) -> None:
    """What is no HTTP at all, with a canary in it."""
    url = cage.http.base_url
    with socket.create_connection((url.host, url.port or 80), timeout=30) as caller:
        caller.sendall(b"qanary0001@mail.example\r\n\x1b[31m\r\n\r\n")
        assert b"400" in caller.recv(1000)


@dataclass
class Left:
    """What is there when everything was told: the cage, what both processes logged, and who was told about."""

    cage: Cage
    server: Serving
    worker: Working
    customers: list[str]


@pytest.fixture(scope="module")
def left(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Left]:
    """The service and its worker after all canaries were let out, read models caught up; on each database."""
    home = house(module_database, tmp_path_factory.mktemp("canaries"))
    settings = home.environment() | {"AMENDS_LOG_LEVEL": "debug"}
    headers = {"Authorization": f"Bearer {home.bearer}"}
    server = Serving(settings, home.folder, headers, options=("--no-worker",))
    worker = Working(settings | {"AMENDS_METRICS_PORT": "0"}, home.folder)
    try:
        server.start()
        worker.start()
        with server.http() as http:
            cage = Cage(home, http)
            customers = _tell_everything(cage)
            server.project(cage.last)
            yield Left(cage, server, worker, customers)
    finally:
        worker.kill()
        server.kill()


def _tell_everything(cage: Cage) -> list[str]:
    budget = open_a_budget(cage)
    customers = [tell(cage, post) for post in (cage.direct, cage.structured, cage.binary, cage.batch)]
    tell_the_rest(cage)
    tell_of_a_colleague(cage)
    tell_of_a_rule(cage)
    tell_of_a_lesson(cage)
    cage.told(cage.to_the_house, f"{budget}/close", "close-budget")
    for _ in range(50):  # enough for a snapshot
        cage.told(cage.direct, customers[0], "record-expectation", topic="speed")
    be_refused(cage, customers[0])
    talk_nonsense(cage)
    return customers


def test_every_command_and_every_personal_field_was_tried(left: Left):
    assert left.cage.paths == set(COMMANDS)
    tried = {place.rpartition(".")[2] for place in (*left.cage.canaries.words, *left.cage.canaries.names)}
    assert tried >= {field for kind in COMMANDS.values() for field in _personal(kind)}
    assert len(left.cage.canaries.words) > 100


def _personal(kind: type[Command]) -> set[str]:
    """Names of free texts, as the schema shows them: whatever has room for words, ids of colleagues among them."""
    found: set[str] = set()
    _free_texts(kind.model_json_schema(by_alias=True), found)
    return found - (HOUSES_OWN if kind in (PublishStandard, DraftLesson, ReviseLesson) else set())


def _free_texts(schema: Any, found: set[str]) -> None:
    if not isinstance(schema, dict):
        return
    for name, one in schema.get("properties", {}).items():
        if any(part.get("maxLength", 0) >= 200 for part in (one, *one.get("anyOf", ()))):
            found.add(name)
    for title, inner in schema.get("$defs", {}).items():
        # How a recovery is named, and the pair of a reference, are said in full elsewhere.
        if title not in ("About", "Reference"):
            _free_texts(inner, found)


def test_no_column_of_any_table_holds_a_canary(left: Left):
    engine = make_engine(left.cage.home.database)
    try:
        searched = list(kept(engine))
    finally:
        engine.dispose()
    assert {(column, trace) for column, value in searched for trace in traces(value)} == set()
    # Searched in earnest: everything that is kept about a customer was there.
    full = {column.partition(".")[0] for column, _ in searched}
    assert full >= {"events", "commands", "subject_lookup", "snapshots", *_read_models()}


def _read_models() -> set[str]:
    return {table.name for one in ALL for table in one.tables}


def test_no_byte_of_the_database_files_is_a_canary(left: Left):
    # On PostgreSQL there are no files of ours but the keys and the log.
    for file in sorted({path for place in _places(left) for path in place.iterdir() if path.is_file()}):
        assert (file.name, traces(file.read_bytes())) == (file.name, [])


def _places(left: Left) -> set[Path]:
    home = left.cage.home
    if not home.database.startswith("sqlite"):
        return {home.folder}
    return {home.folder, Path(home.database.removeprefix("sqlite:///")).parent}


def test_no_log_line_holds_a_canary_and_every_line_is_json(left: Left):
    lines = left.server.log.read_bytes().splitlines()
    assert len(lines) >= len(left.cage.answers)
    for line in (*lines, *left.worker.log.read_bytes().splitlines()):
        record = json.loads(line)
        plain = json.dumps(record, ensure_ascii=False).encode()
        assert (traces(line), traces(plain)) == ([], []), record
        # Ids of customers are random and no names. Lines for operators name streams by them; nothing else does.
        if record["event"] not in FOR_OPERATORS:
            assert not any(customer.encode() in line for customer in left.customers), record


def test_no_stream_got_stuck_over_a_canary(left: Left):
    events = {line["event"] for log in (left.server.log, left.worker.log) for line in told_in(log)}
    assert "request" in events
    assert not events & FOR_OPERATORS


def test_every_line_says_which_request_it_is_about_and_writes_where_they_stand(left: Left):
    lines = told_in(left.server.log)
    requests = [line for line in lines if line["event"] == "request"]
    ids = {one.headers["request-id"] for one in left.cage.answers}
    assert {line["request"] for line in requests} >= ids
    told = {line["request"]: line.get("positions") for line in requests}
    written = [one for one in left.cage.answers if one.status_code in (201, 202) and one.json()["receipts"]]
    assert len(written) > 100
    for answer in written:
        positions = [one["position"] for one in answer.json()["receipts"]]
        low, high = min(positions), max(positions)
        assert told[answer.headers["request-id"]] == (str(low) if low == high else f"{low}-{high}")


def test_no_metric_tells_a_canary_or_a_customer(left: Left):
    found = left.cage.http.get("/metrics", headers={"Authorization": ""})
    assert found.status_code == 200
    assert traces(found.content) == []
    assert not [customer for customer in left.customers if customer in found.text]
    told = Exposition(found.text)
    # Every route that was asked, and every refusal that was told, is counted in it.
    assert sum(told.each("amends_refusals_total", "slug").values()) > 100
    assert told.value("amends_conflicts_total", slug="key_reused") >= 1
    counted = {one.labels["route"] for one in told.samples() if one.name == "amends_http_requests_total"}
    assert counted >= set(addresses().values())
    assert counted >= {"unmatched", "/v1/customers", "/v1/events", "/v1/schemas/{event_type}", "/problems/{slug}"}


def test_no_metric_of_the_worker_tells_a_canary_or_a_customer(left: Left):
    [port] = [line["port"] for line in told_in(left.worker.log) if line["event"] == "metrics_served"]
    with client() as http:
        found = http.get(f"http://127.0.0.1:{port}/metrics")
    assert found.status_code == 200
    assert traces(found.content) == []
    assert not [customer for customer in left.customers if customer in found.text]
    told = Exposition(found.text)
    # It has folded all of it.
    positions = told.each("amends_projection_position", "projection")
    assert positions.keys() == {one.name for one in ALL}
    assert min(positions.values()) >= left.cage.last > 100


def told_in(log: Path) -> list[dict[str, Any]]:
    """The lines of a log."""
    return [json.loads(line) for line in log.read_bytes().splitlines()]


def test_what_a_library_logs_is_passed_on_by_its_name_alone(left: Left):
    lines = told_in(left.server.log)
    assert "uvicorn.error" in {line["library"] for line in lines if line["event"] == "library_log"}


def test_no_answer_to_a_post_or_a_refused_request_tells_a_canary(left: Left):
    for answer in left.cage.answers:
        assert traces(_headers(answer)) == []
        told = answer.json()
        # A type and a source are addresses, and told back to whoever misspelt his own.
        plain = {name: one for name, one in told.items() if name not in ("event_type", "source", "detail")}
        assert traces(json.dumps(plain, ensure_ascii=False).encode()) == []
        assert traces(told.get("detail", "").replace("urn:qanary0001", "").encode()) == []


def _headers(answer: httpx2.Response) -> bytes:
    return b"\n".join(name + b": " + value for name, value in answer.headers.raw)


def test_no_view_without_the_scope_personal_shows_a_canary(left: Left):
    reader = left.cage.key("read", "personnel", "audit", "admin")
    http = left.cage.http
    views = ["/v1/events?limit=500", "/v1/recoveries?limit=500", "/v1/feed?limit=500", "/v1/standards/rule/dates"]
    views.append(f"/v1/colleagues/{left.cage.canaries.names['colleague.address']}")
    views.append(f"/v1/customers/{left.customers[0]}/next-step")
    views += _whole_views()
    for customer in left.customers:
        views += [f"/v1/customers/{customer}{view}" for view in ("", "/explain", "/timeline", "?at_version=20")]
        views += [f"/v1/customers/{customer}{view}" for view in ("/brief", "/reason-to-stay")]
    for view in views:
        answer = http.get(view, headers=reader)
        assert answer.status_code == 200, (view, answer.text)
        assert (view, traces(_headers(answer) + answer.content)) == (view, [])
    refused = http.get("/v1/events?personal=true", headers=reader)
    assert (refused.status_code, refused.json()["scope"]) == (403, "personal")


def _whole_views() -> list[str]:
    """What can be read without naming anything: every report, every list."""
    asked = {at: verbs["get"].get("parameters", ()) for at, verbs in document()["paths"].items() if "get" in verbs}
    return [at for at, parameters in asked.items() if not any(one.get("required") for one in parameters)]


def test_whoever_may_see_them_sees_every_word_and_no_colleagues_name(left: Left):
    shown = "".join(_pages(left.cage.http, "/v1/events?personal=true&limit=500"))
    missing = [place for place, word in left.cage.canaries.words.items() if word not in shown]
    assert missing == []
    assert [place for place, name in left.cage.canaries.names.items() if name in shown] == []


def _pages(http: httpx2.Client, address: str) -> Iterator[str]:
    after, end = 0, False
    while not end:
        answer = http.get(f"{address}&after={after}")
        assert answer.status_code == 200
        yield json.dumps(answer.json(), ensure_ascii=False)
        after, end = answer.json()["next"], answer.json()["end_of_log"]


def test_the_canaries_would_be_found_if_they_sang():
    canaries = Canaries()
    word = canaries.word("x")
    for sung in (word.encode(), json.dumps(word).encode(), word.upper().encode(), word.lower().encode()):
        assert traces(sung)
    assert traces(NAME.encode())
    assert traces(b"nothing of the kind") == []
