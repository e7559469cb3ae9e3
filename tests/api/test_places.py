"""Where a refusal points: at a place of what was sent, and at nothing else."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.api.test_standards import opening_hours
from tests.support.http import Service

RULE = {"rule_id": "tea", "roles": ["waiter"], "per_grant": {"amount": "5.00", "currency": "EUR"}}


def refused_at(shared: Service, path: str, body: dict[str, Any]) -> Sequence[str]:
    """The places that a refusal of this body names, in their order."""
    if not path.startswith("/v1/"):
        path = f"/v1/customers/{shared.customer()}/{path}"
    return [one["pointer"] for one in shared.post(path, body, status=422)["errors"]]


def authority(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "authority", "name": "house", "body": {"rules": list(rules)}}


@pytest.mark.parametrize(
    ("said", "place"),
    [("recovry", "/about"), ({"order": 7}, "/about/order"), ({"number": "X"}, "/about/number"), (7, "/about")],
)
def test_where_several_shapes_are_taken_the_place_is_that_of_what_was_sent(shared: Service, said: Any, place: str):
    asked = {"instrument": "CSAT", "value": 3, "about": said}
    assert set(refused_at(shared, "state-satisfaction", asked)) <= {"/about", place}
    assert place in refused_at(shared, "state-satisfaction", asked)


def test_a_name_that_is_wrong_itself_is_pointed_at(shared: Service):
    calendar = opening_hours({"foo": [["09:00", "13:00"]]})
    assert refused_at(shared, "/v1/standards", calendar) == ["/body/hours/foo"]


@pytest.mark.parametrize(
    ("rules", "places"),
    [
        ([RULE | {"rule_id": "The tea"}], ["/body/rules/0/rule_id"]),
        ([RULE, RULE | {"per_customer": {"limit": {}}}], []),
        ([], ["/body/rules"]),
    ],
)
def test_a_list_is_too_short_only_where_nothing_in_it_is_wrong(
    shared: Service, rules: list[dict[str, Any]], places: list[str]
):
    found = refused_at(shared, "/v1/standards", authority(*rules))
    assert found == places if places else all(one.startswith("/body/rules/1/") for one in found)


def test_what_is_missing_is_named_where_it_should_stand(shared: Service):
    assert refused_at(shared, "instant-remedy", {"apology": {}, "remedy": {"remedy_kind": "refund"}}) == [
        "/apology/said"
    ]
