"""What tests of the command line may ask for: `amends` on an empty database, and on one that a demo has filled."""

import os
from pathlib import Path

import pytest

from tests.support.commands import CommandLine, command_line


@pytest.fixture
def amends(tmp_path: Path) -> CommandLine:
    """The command line on a migrated SQLite file of the test's own."""
    made = command_line(tmp_path)
    made("migrate", "--quiet")
    return made


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[CommandLine, dict[str, object]]:
    """(The command line on the store of a small demo, what the demo printed); for tests that only read."""
    folder = tmp_path_factory.mktemp("demo")
    told = CommandLine(folder, {"TMPDIR": str(folder)}).process("demo", "--no-serve", "--json", "--customers", "4")
    assert told.code == 0, told
    document = told.json
    store = Path(document["store"])
    return command_line(folder, f"sqlite:///{store}", key_file=os.fspath(store.with_name("amends.key"))), document
