"""Problems: one table, a page for every slug, and no rule of the domain without an entry."""

import importlib
import pkgutil

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

import domain
from api.app import document
from api.problem_pages import folder, page
from api.problems import PROBLEMS, ProblemError, blank, invalid, response, validation_errors
from api.problems import document as problem
from api.refusals import problem_of
from domain.errors import (
    AmendsError,
    Broken,
    Busy,
    Conflict,
    NewerProgramNeeded,
    Refused,
    StaleVersion,
    UnknownRef,
)
from domain.moves.apology import Apologise
from tests.support.http import Service


def every(kind: type[AmendsError]) -> list[type[AmendsError]]:
    for module in pkgutil.walk_packages(domain.__path__, "domain."):
        importlib.import_module(module.name)
    found = []
    for one in kind.__subclasses__():
        found += [one, *every(one)]
    return [one for one in found if one.__module__.startswith("domain.")]


def test_every_refusal_and_conflict_of_the_domain_has_its_entry():
    codes = {one.code for kind in (Refused, Conflict) for one in every(kind)}
    assert codes <= set(PROBLEMS)
    assert len(codes) >= 20


def test_every_slug_has_a_page_and_every_page_a_slug():
    assert {file.stem for file in folder().glob("*.md")} == set(PROBLEMS)
    for slug, kind in PROBLEMS.items():
        told = (folder() / f"{slug}.md").read_text(encoding="utf-8")
        assert told.startswith(f"# {kind.title}\n\n`{slug}`, status {kind.status}\n")
        assert "## What to do" in told


def test_every_slug_has_an_example_in_the_description_of_the_api():
    examples = document()["components"]["examples"]
    assert set(examples) == set(PROBLEMS)
    for slug, example in examples.items():
        assert example["value"]["type"].endswith(f"/problems/{slug}")
        assert example["value"]["status"] == PROBLEMS[slug].status


def test_a_refusal_tells_its_facts_beside_the_members_of_the_standard():
    assert problem_of(StaleVersion(8), "https://amends.example") == {
        "type": "https://amends.example/problems/stale_version",
        "title": "Somebody was faster",
        "status": 412,
        "detail": "the current version is 8",
        "current_version": 8,
    }


def test_facts_that_are_not_there_are_left_out():
    assert "ref" not in problem_of(UnknownRef("customer"), "")


def test_no_fact_can_stand_in_for_a_member_of_the_standard():
    assert problem("fault", "", {"status": 200, "type": "x"}, "")["status"] == 500


def test_an_unknown_exception_is_a_fault_that_says_nothing():
    found = problem_of(ValueError("Maria's secret"), "")
    assert found["status"] == 500
    assert "Maria" not in str(found)


def test_a_fault_of_ours_without_a_slug_is_a_fault():
    class Odd(Broken):
        code = "odd"

    assert problem_of(Odd("inside"), "")["type"] == "/problems/fault"


def test_a_busy_writer_says_when_to_come_back(shared: Service):
    found = problem_of(Busy(), "")
    assert found["status"] == 503
    assert found["retry_after_seconds"] == 1


def test_an_outdated_process_says_when_to_come_back_to_another():
    answer = response(problem_of(NewerProgramNeeded(), ""))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_values_never_stand_in_the_errors_of_a_validation():
    with pytest.raises(ValueError, match="validation error") as caught:
        Apologise.model_validate({"said": "Maria"})
    [error] = validation_errors(caught.value.errors(), ("data",))
    assert error["pointer"] == "/data/said"
    assert error["code"] == "literal_error"
    assert "Maria" not in str(error)


def test_pointers_escape_what_pointers_must():
    errors = [{"loc": ("a/b", 0, "c~d"), "msg": "no", "type": "x"}]
    assert validation_errors(errors)[0]["pointer"] == "/a~1b/0/c~0d"


def test_a_plain_status_is_about_blank():
    assert blank(404, "Not Found") == {"type": "about:blank", "title": "Not Found", "status": 404}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing/here", 404),
        ("DELETE", "/v1/customers", 405),
        ("POST", "/v1/customers/0192e4a0-0000-7000-8000-000000000001/dance", 404),
        ("GET", "/v1/customers/0192e4a0-0000-7000-8000-000000000001/apologise", 405),
        ("GET", "/problems/nonsense", 404),
        ("GET", "/v1/schemas/nonsense", 404),
        ("GET", "/v1/customers/nobody", 422),
        ("POST", "/v1/customers/nobody/apologise", 422),
        ("GET", "/v1/customers/0192e4a0-0000-7000-8000-000000000001", 404),
        ("GET", "/v1/events?personal=perhaps", 422),
    ],
)
def test_every_refusal_is_a_problem_document(shared: Service, method: str, path: str, status: int):
    answer = shared.http.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert found["status"] == status
    assert found["type"] == "about:blank" or found["type"].startswith("http://127.0.0.1:8080/problems/")
    if status == 405:
        assert answer.headers["allow"]


def test_the_type_of_a_problem_leads_to_its_page(shared: Service):
    found = shared.http.get("/v1/customers/0192e4a0-0000-7000-8000-000000000001").json()
    explained = shared.http.get(found["type"])
    assert explained.status_code == 200
    assert "text/html" in explained.headers["content-type"]
    assert "There is no such thing" in explained.text
    assert page("unknown_ref") in explained.text


def test_a_fault_is_answered_as_a_problem_without_a_stack(shared: Service, capsys: pytest.CaptureFixture[str]):
    async def broken(request):
        raise RuntimeError("Maria Papadopoulou, +30 210 1234567")

    shared.app.add_route("/broken", broken)
    # The exception must not reach the server either: it would write the stack, and the values in it, to its log.
    with TestClient(shared.app, raise_server_exceptions=True) as http:
        answer = http.get("/broken")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].endswith("/problems/fault")
    logged = capsys.readouterr()
    for told in (answer.text, logged.out, logged.err):
        assert "Maria" not in told
        assert "210" not in told
    assert "RuntimeError" in logged.out + logged.err


def test_a_problem_error_carries_headers_and_facts():
    error = ProblemError("unauthorised", headers={"WWW-Authenticate": "Bearer"})
    assert problem_of(error, "")["detail"] == "A key is needed"


def test_a_database_that_does_not_answer_makes_reads_and_writes_unavailable(amends: Service):
    customer = amends.customer()
    with amends.container.engine.begin() as conn:
        conn.execute(text("DROP TABLE heads"))
    for method, path in (
        ("GET", "/readyz"),
        ("GET", "/v1/events"),
        ("POST", f"/v1/customers/{customer}/announce-leaving"),
    ):
        answer = amends.http.request(method, path)
        assert answer.status_code == 503, path
        assert answer.headers["retry-after"] == "2"
        assert answer.json()["type"].endswith("/problems/unavailable")
        assert "heads" not in answer.text


def test_a_body_with_too_many_mistakes_is_told_the_first_fifty_and_how_many_more_there_are():
    errors = [{"loc": ("n" * 300, n), "msg": "is wrong", "type": "wrong"} for n in range(60)]
    found = invalid(errors, ("data",))
    assert len(found.facts["errors"]) == 50
    assert found.facts["errors_omitted"] == 10
    assert found.facts["errors"][1]["pointer"] == "/data/" + "n" * 200 + "/1"
    assert invalid(errors[:50]).facts["errors_omitted"] is None


def test_the_first_mistake_is_told_in_the_detail():
    found = invalid([{"loc": ("severity",), "msg": "must be 1 to 5", "type": "range"}], ("data",))
    assert found.detail == "/data/severity: must be 1 to 5"


def test_a_refused_body_gets_a_short_answer(amends: Service):
    customer = amends.customer()
    body = {f"n{n}": n for n in range(60_000)}
    answer = amends.http.post(f"/v1/customers/{customer}/apologise", json=body)
    assert answer.status_code == 422
    assert len(answer.content) < 20_000
    assert answer.json()["errors_omitted"] > 59_000
