"""Questions that are answered from the ledger itself, so that no read model need catch up before."""

from typing import Any

from tests.support.http import Service


def looked_up(house: Service, path: str) -> Any:
    """The answer to a GET with every scope: of advice, of briefs, of authority."""
    answer = house.http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()
