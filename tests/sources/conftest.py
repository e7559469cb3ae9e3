"""What the sources may ask for: one running service per file, once on each kind of database."""

from collections.abc import Iterator

import pytest

from tests.support.http import Service, service
from tests.support.webhooks import SETTINGS


@pytest.fixture(scope="module")
def house(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A house that all tests of a file share; every test has customers of its own."""
    with service(module_database, tmp_path_factory.mktemp("house"), **SETTINGS) as made:
        yield made


@pytest.fixture
def since(house: Service) -> str:
    """The query of a report about nothing but this test: a day on which nothing has happened yet."""
    house.clock.forward(days=1)
    return "?since=" + house.clock.now.isoformat().replace("+00:00", "Z")
