"""The house itself: names that must not collide, files that must not exist, an order that must hold."""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_migrations_folder_never_shadows_the_alembic_library() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()
    import alembic

    assert Path(alembic.__file__).parent != ROOT / "alembic"


def test_our_generic_top_level_names_have_one_owner_in_the_environment() -> None:
    owners = packages_distributions()
    for name in ("domain", "infrastructure", "projections", "api"):
        assert set(owners.get(name, ["amends"])) == {"amends"}


def test_the_lock_names_no_address_and_hashes_everything() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"https?://|file:", lock)
    pinned = [line for line in lock.splitlines() if "==" in line and not line.lstrip().startswith("#")]
    assert len(pinned) > 40
    assert lock.count("--hash=sha256:") >= len(pinned)


def test_no_file_outside_the_lock_names_a_package_registry() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    hosts = re.compile("|".join(["py" + "pi.org", "registry.np" + "mjs.org", "files.python" + "hosted.org"]))
    found = [
        name
        for name in tracked.stdout.splitlines()
        if (ROOT / name).is_file() and hosts.search((ROOT / name).read_text(errors="ignore"))
    ]
    assert found == []


def test_help_lists_every_target_a_newcomer_needs() -> None:
    told = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {"demo", "test", "check", "bench", "soak", "help"} <= {line.split()[0] for line in told.splitlines()}


def test_every_folder_with_tests_is_a_package_with_one_line_of_purpose() -> None:
    for folder in {path.parent for path in (ROOT / "tests").rglob("test_*.py")}:
        assert (folder / "__init__.py").read_text().startswith('"""')


def test_the_python_is_the_one_we_support() -> None:
    assert sys.version_info >= (3, 11)
