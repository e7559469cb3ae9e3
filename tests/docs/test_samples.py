"""Every sample in the README and the docs, run by a real shell with the real curl against a real service."""

import os
import random
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from tests.support.commands import CommandLine, command_line, printed
from tests.support.databases import Server
from tests.support.samples import ROOT, Sample, SampleFailed, documents, run, same, same_lines, samples

PLACEHOLDERS = {
    "address": "http://127.0.0.1:8080",
    "key": "amk_live_...",
    "database": "postgresql://amends:secret@db.example.com/amends",
}
ON_POSTGRESQL = "docs/how-to/postgresql.md"
OPERATIONS = "docs/operations.md"
"""Run in test_operations.py."""
FROM_NOTHING = ("docs/tutorial.md", ON_POSTGRESQL, OPERATIONS)
"""Documents that start the service themselves."""
SETTINGS = {"docs/how-to/webhooks.md": {"webhook_http": "true", "webhook_allow": "127.0.0.1"}}
"""What documents say that their service was started with."""
PACKAGES = {"make", "python3.11", "python3.11-venv", "curl"}


@pytest.fixture(autouse=True, scope="module")
def _curl() -> None:
    if shutil.which("curl") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("the samples need curl, which is not installed")


def read(name: str, **placeholders: str) -> list[Sample]:
    """The samples of a document, with what stands for the reader's own surroundings put in."""
    found = []
    for sample in samples(ROOT / name):
        text = sample.text
        for placeholder, value in placeholders.items():
            text = text.replace(PLACEHOLDERS[placeholder], value)
        found.append(Sample(sample.kind, text, sample.line))
    return found


@contextmanager
def free_port() -> Iterator[str]:
    """A port that stays free: below those from which the kernel takes one for whoever asks for any.

    Of those who ask here, each holds a name for his until he is done with it, so that no two have the same.
    """
    with socket.socket(socket.AF_UNIX) as ours:
        for port in random.sample(range(20_000, 32_000), 100):
            with suppress(OSError), socket.create_server(("127.0.0.1", port)):
                ours.bind(f"\0amends-port-{port}")
                break
        yield str(port)


def test_the_readme_holds_on_a_demo(tmp_path: Path):
    alone = CommandLine(tmp_path, {"TMPDIR": str(tmp_path)})
    with alone.running("demo", "--customers", "2") as demo:
        lines = [*printed(demo)]
        found = re.fullmatch(r"export AMENDS=(\S+) KEY=(\S+)", lines[-1].strip())
        assert found, lines
        run(read("README.md", address=found[1], key=found[2]), tmp_path, alone.environment)


@pytest.mark.parametrize("name", sorted({*documents()} - {"README.md", *FROM_NOTHING}))
def test_a_document_holds_on_an_empty_service(name: str, tmp_path: Path):
    amends = command_line(tmp_path, **SETTINGS.get(name, {}))
    amends("migrate", "--quiet")
    with amends.running("serve", "--port", "0") as service:
        run(read(name, address=service.address), tmp_path, amends.environment)


def test_the_tutorial_starts_from_nothing(tmp_path: Path):
    with free_port() as port:
        amends = command_line(tmp_path, port=port)
        run(read("docs/tutorial.md", address=f"http://127.0.0.1:{port}"), tmp_path, amends.environment)


def test_postgresql_is_set_up_as_the_document_says(tmp_path: Path, postgres_server: Server):
    name = f"{postgres_server.prefix}_reader"
    with free_port() as port, owned(postgres_server, name):
        url = postgres_server.admin.set(drivername="postgresql", username=name, password="secret", database=name)
        database = url.render_as_string(hide_password=False)
        address = f"http://127.0.0.1:{port}"
        amends = command_line(tmp_path, port=port)
        run(read(ON_POSTGRESQL, address=address, database=database), tmp_path, amends.environment)


@contextmanager
def owned(server: Server, name: str) -> Iterator[None]:
    """The role and the database that the document's SQL makes, under another name, until the block ends."""
    [made] = [sample.text for sample in samples(ROOT / ON_POSTGRESQL) if sample.kind == "sql"]
    admin = server.admin.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(admin, autocommit=True) as conn:
        for statement in made.strip().splitlines():
            conn.execute(re.sub(r"\bamends\b", name, statement).encode())
        yield
        conn.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
        conn.execute(f"DROP ROLE {name}".encode())


def setting_up() -> Iterator[tuple[str, str]]:
    """(document, line) of every line that sets the project up."""
    for name in documents():
        for sample in samples(ROOT / name):
            if sample.ourselves:
                yield from ((name, line) for line in sample.text.splitlines())


@pytest.mark.parametrize(("name", "line"), list(setting_up()))
def test_lines_that_set_the_project_up_name_real_targets_and_packages(name: str, line: str):
    command, *words = line.split()
    if command == "make":
        targets = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(words) <= set(targets)
    else:
        assert (command, words[0]) == ("apt-get", "install")
        assert set(words[1:]) <= PACKAGES


def test_every_kind_of_sample_is_one_that_is_run_or_deliberately_not():
    kinds = {(sample.kind, name) for name in documents() for sample in samples(ROOT / name)}
    assert {kind for kind, _ in kinds} <= {"bash", "console", "python", "json", "sql", "text", "yaml"}
    assert {name for kind, name in kinds if kind == "yaml"} <= {OPERATIONS}
    assert {name for kind, name in kinds if kind == "sql"} <= {ON_POSTGRESQL}


def test_links_between_documents_lead_somewhere():
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)\)", path.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (path.parent / target).exists(), f"{path.relative_to(ROOT)}: {target}"


def test_a_sample_that_fails_is_named_by_its_line(tmp_path: Path):
    with pytest.raises(SampleFailed, match="line 7: exit code 3: never mind"):
        run([Sample("bash", "true\n", 3), Sample("bash", "echo never mind\nexit 3\n", 7)], tmp_path, os.environ)


def test_an_answer_that_is_another_one_is_named(tmp_path: Path):
    said = [Sample("bash", """echo '{"a": 1, "b": 2}'\n""", 1), Sample("json", '{"a": 2}', 5)]
    with pytest.raises(SampleFailed, match="line 5: the answer was"):
        run(said, tmp_path, os.environ)


def test_a_console_sample_shows_what_is_printed_and_how_it_ended(tmp_path: Path):
    run([Sample("console", "$ echo one; false\none\n$ echo $?\n1\n", 1)], tmp_path, os.environ)
    (tmp_path / "again").mkdir()
    with pytest.raises(SampleFailed, match="line 1"):
        run([Sample("console", "$ echo one\ntwo\n", 1)], tmp_path / "again", os.environ)


def test_what_is_shown_must_be_there_and_more_may_be():
    assert same({"a": [{"b": 2}]}, {"a": [{"c": 0}, {"b": 2, "c": 1}], "d": None})
    assert not same({"a": [{"b": 2}, {"b": 1}]}, {"a": [{"b": 1}, {"b": 2}]})
    assert same("2026-03-02T09:00:00Z", "2026-03-31T17:20:00.5Z")
    assert not same("closed", "resolved")
    assert same_lines("a ... c\n", "a b c\n")
    assert not same_lines("a ... c\n", "a b d\n")
