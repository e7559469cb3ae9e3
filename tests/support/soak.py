"""Tests that are quick in `make test` and thorough in `make soak`."""

import os
from collections.abc import Callable
from typing import Final, TypeVar

import pytest
from hypothesis import HealthCheck, settings

SOAK: Final = os.environ.get("AMENDS_SOAK") == "1"
"""Whether this run takes its time: `AMENDS_SOAK=1 pytest -m soak`, which is what `make soak` runs."""
Test = TypeVar("Test", bound=Callable[..., None])

sqlite_in_soak: Final = pytest.mark.parametrize(
    "any_house", ["postgresql", pytest.param("sqlite", marks=pytest.mark.soak)], indirect=True
)
"""For dear tests of what does not depend on the kind of database: PostgreSQL always, SQLite only in a soak."""

thorough_in_soak: Final = [pytest.mark.soak] if SOAK else []
"""As the `pytestmark` of a file that looks at SOAK: its tests belong to `make test`, and in a soak to that."""


def examples(few: int, *, many: int) -> Callable[[Test], Test]:
    """Tries few examples, or many of them in a soak; only there the test is marked `soak`."""

    def enter(test: Test) -> Test:
        tried = settings(
            max_examples=many if SOAK else few,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        )(test)
        return pytest.mark.soak(tried) if SOAK else tried

    return enter
