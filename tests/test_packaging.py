"""The wheel: what an installation gets must be everything that the program needs, and nothing of others."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from api.problems import PROBLEMS

ROOT = Path(__file__).resolve().parents[1]
OURS = {"api", "domain", "infrastructure", "projections"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network by the hatchling that is installed, and unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [built] = folder.glob("*.whl")
    with ZipFile(built) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def test_the_migrations_go_with_it_under_our_own_name(wheel: Path):
    inside = wheel / "infrastructure" / "migrations"
    assert (inside / "env.py").is_file()
    shipped = {path.name for path in (inside / "versions").glob("*.py")}
    assert shipped == {path.name for path in (ROOT / "alembic" / "versions").glob("*.py")}


def test_a_top_level_alembic_would_overwrite_the_library_of_that_name(wheel: Path):
    assert not (wheel / "alembic").exists()


def test_there_is_nothing_in_it_but_our_packages(wheel: Path):
    found = {path.name for path in wheel.iterdir() if not path.name.endswith(".dist-info")}
    assert found == OURS
    assert not list(wheel.rglob("test_*.py"))


def test_every_module_of_ours_is_in_it(wheel: Path):
    for package in OURS:
        ours = {path.relative_to(ROOT) for path in (ROOT / package).rglob("*.py")}
        assert ours - {path.relative_to(wheel) for path in (wheel / package).rglob("*.py")} == set()


def test_the_pages_of_the_problems_go_with_it(wheel: Path):
    shipped = {path.stem for path in (wheel / "api" / "problem_docs").glob("*.md")}
    assert shipped == set(PROBLEMS)


def test_it_runs_from_where_it_was_installed(wheel: Path, tmp_path: Path):
    program = (
        "import api.cli, infrastructure.migrate as migrate, api.problem_pages as pages, sys;"
        "assert migrate.scripts().name == 'migrations', migrate.scripts();"
        "assert pages.folder().parent.name == 'api', pages.folder();"
        "sys.argv = ['amends', 'migrate', '--quiet']; api.cli.main()"
    )
    # -P: neither the current folder nor the project's stands before the installed packages.
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(wheel)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "amends.db").is_file()


def test_the_command_is_called_amends(wheel: Path):
    [points] = wheel.glob("*.dist-info/entry_points.txt")
    assert points.read_text() == "[console_scripts]\namends = api.cli:main\n"
