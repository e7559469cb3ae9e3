"""What tests of webhooks may ask for: a service whose webhooks go to loopback, a receiver, and a webhook to it.

A conftest that imports these names has its tests find them.
"""

from collections.abc import Iterator

import pytest

from tests.support.receivers import Receiver, receiver
from tests.support.webhooks import Hook, Office, office

__all__ = ["crm", "desk", "hook"]


@pytest.fixture(scope="module")
def desk(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with office(module_database, tmp_path_factory.mktemp("desk")) as made:
        yield made


@pytest.fixture
def crm() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture
def hook(desk: Office, crm: Receiver) -> Iterator[Hook]:
    """A webhook that tells the CRM of everything from now on."""
    with desk.telling(crm) as made:
        yield made
