"""The digest: the agenda of a meeting out of the week's real cases, always the same of the same ledger."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.http import Service, service
from tests.support.telling_lessons import NOTICE, drafted, feed, put_right, told


@pytest.fixture
def on_both(database: str, tmp_path: Path) -> Iterator[Service]:
    with service(database, tmp_path) as made:
        yield made


def test_s1_19_the_digest_of_a_week_is_its_real_cases_and_the_same_whenever_it_is_asked_for(on_both: Service):
    amends = on_both
    begins = amends.clock.now
    put_right(amends)
    customer, recovery = put_right(amends, "C-2", what="wrong_or_broken")
    address = f"/v1/customers/{customer}"
    amends.post(f"{address}/report-obstacle", {"kind": "policy_block", "minutes_lost": 20})
    amends.post(f"{address}/report-loss", {"basis": "told_us", "cause_recovery_id": recovery})
    amends.post(f"{address}/close", {"recovery_id": recovery, "outcome": "lost"})
    told(amends, drafted(amends))
    amends.clock.forward(days=6)
    until = (begins + timedelta(days=7)).isoformat().replace("+00:00", "Z")
    first = amends.get(f"/v1/feed/digest?until={until}")
    assert [one["title"] for one in first["stories"]] == ["Late, put right by refund"]
    assert [(one["title"], one["basis"]) for one in first["lost"]] == [
        ("Wrong or broken, and the customer left", "told_us")
    ]
    assert [(one["key"], one["minutes"]) for one in first["obstacles"]] == [("policy_block", 20)]
    assert [one["title"] for one in first["new_lessons"]] == [NOTICE["title"]]
    assert customer not in str(first)
    amends.clock.forward(days=30)
    put_right(amends, "C-3")
    amends.clock.forward(days=1)
    assert amends.get(f"/v1/feed/digest?until={until}") == first
    later = amends.get("/v1/feed/digest")
    assert (later["stories_n"], later["lost_n"], later["obstacles_n"], later["new_lessons"]) == (1, 0, 0, [])


def test_a_case_study_leaves_the_feed_when_its_customer_is_lost_after_all(amends: Service):
    customer, recovery = put_right(amends)
    told(
        amends,
        drafted(amends, kind="case_study", from_recovery={"customer_id": customer, "recovery_id": recovery}),
    )
    before = {one["tags"][0] for one in feed(amends)}
    amends.post(f"/v1/customers/{customer}/close", {"recovery_id": recovery, "outcome": "lost"})
    assert before == {"recovery", "case_study"}
    assert feed(amends) == []


def test_of_a_lost_case_in_which_somebody_was_reported_no_steps_are_told(amends: Service):
    customer, recovery = put_right(amends)
    address = f"/v1/customers/{customer}"
    amends.post(f"{address}/report-treatment", {"recovery_id": recovery, "treatment": "rude"})
    amends.post(f"{address}/close", {"recovery_id": recovery, "outcome": "lost"})
    amends.clock.forward(days=1)
    [lost] = amends.get("/v1/feed/digest")["lost"]
    assert (lost["title"], lost["steps"], lost["text"]) == ("Late, and the customer left", [], "")


def test_the_digest_names_nobody_whom_a_recognition_tells_of(amends: Service):
    praise = {"kind": "recognition", "title": "{name} changed a wiper", "text": "Unasked.", "colleague_id": "m-1"}
    told(amends, drafted(amends, **praise))
    amends.clock.forward(days=1)
    assert [one["title"] for one in amends.get("/v1/feed/digest")["new_lessons"]] == [
        "a colleague changed a wiper"
    ]


def test_lost_cases_are_told_in_the_digest_alone(amends: Service):
    customer, recovery = put_right(amends)
    amends.post(f"/v1/customers/{customer}/close", {"recovery_id": recovery, "outcome": "lost"})
    hurt, harm = put_right(amends, "C-2", what="treated_badly")
    amends.post(f"/v1/customers/{hurt}/close", {"recovery_id": harm, "outcome": "lost"})
    learned = {"customer_id": customer, "recovery_id": recovery}
    study = told(amends, drafted(amends, kind="case_study", from_recovery=learned))
    amends.post(f"/v1/lessons/{study}/reconfirm")
    amends.clock.forward(days=1)
    assert feed(amends) == []
    assert amends.get(f"/v1/lessons/{study}")["digest_only"] is True
    digest = amends.get("/v1/feed/digest")
    by_title = {one["title"]: one for one in digest["lost"]}
    assert by_title.keys() == {"Late, and the customer left", "Treated badly, and the customer left"}
    assert len(by_title["Late, and the customer left"]["steps"]) == 6
    # How somebody treated him is told nowhere.
    treated = by_title["Treated badly, and the customer left"]
    assert (treated["steps"], treated["text"]) == ([], "")
    [one] = digest["new_lessons"]
    assert "+0 min: closed, lost" in one["text"]
