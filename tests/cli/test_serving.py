"""migrate, serve and worker: from an empty folder to a service, and back to rest when told."""

import json
import signal
import socket
import stat
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from tests.support.commands import CommandLine, asked, command_line
from tests.support.exposition import Exposition
from tests.support.processes import eventually
from tests.support.receivers import receiver

ENOUGH_SECONDS = 5.0


def test_migrate_makes_the_database_and_a_key_file_for_its_owner_only(tmp_path: Path):
    amends = command_line(tmp_path)
    assert amends("migrate").out == (
        "The tables were made.\n"
        "The key file amends.key was made: without it personal parts cannot be read, so keep a copy elsewhere.\n"
        "The database is up to date.\n"
    )
    assert (tmp_path / "amends.db").is_file()
    assert stat.S_IMODE((tmp_path / "amends.key").stat().st_mode) == 0o600


def test_migrate_again_changes_nothing(amends: CommandLine):
    key = (amends.folder / "amends.key").read_bytes()
    again = amends("migrate", "--json").json
    assert again == {"ledger": "main", "migrated": True, "database_made": False, "key_file_made": False}
    assert amends("migrate").out == "The database is up to date.\n"
    assert amends("migrate", "--quiet").out == ""
    assert (amends.folder / "amends.key").read_bytes() == key


def test_serve_tells_its_address_answers_and_ends_soon_after_a_sigterm(amends: CommandLine):
    with amends.running("serve", "--port", "0") as service:
        assert service.said.startswith("Amends serves http://127.0.0.1:")
        assert asked("GET", f"{service.address}/healthz").json() == {"status": "ok"}
        assert asked("GET", f"{service.address}/readyz").json()["status"] == "ready"
        head = asked("HEAD", f"{service.address}/healthz")
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "15")
        code, seconds = service.end(signal.SIGTERM)
    assert code == 0
    assert seconds < ENOUGH_SECONDS


def test_serve_in_json_tells_its_address_to_a_program(amends: CommandLine):
    with amends.running("serve", "--port", "0", "--json") as service:
        assert service.said == "{\n"
        assert service.output.readline().strip().startswith('"address": "http://127.0.0.1:')
        code, _ = service.end(signal.SIGINT)
    assert code == 0


def test_what_was_acknowledged_is_there_after_a_restart(amends: CommandLine):
    key = amends("keys", "create", "shop", "--quiet").out.strip()
    headers = {"Authorization": f"Bearer {key}"}
    with amends.running("serve", "--port", "0") as service:
        answer = asked("POST", f"{service.address}/v1/customers", json={}, headers=headers)
        assert answer.status_code == 201
        service.end()
    with amends.running("serve", "--port", "0") as service:
        events = asked("GET", f"{service.address}/v1/events", headers=headers).json()["data"]
    assert [one["type"] for one in events] == ["amends.relationship.opened.v1"]


def test_a_worker_projects_what_a_service_without_one_records(amends: CommandLine):
    key = amends("keys", "create", "shop", "--quiet").out.strip()
    headers = {"Authorization": f"Bearer {key}", "Prefer": "wait=20"}
    with amends.running("serve", "--port", "0", "--no-worker") as service, amends.running("worker") as worker:
        assert worker.said == "Amends works on the ledger main\n"
        made = asked("POST", f"{service.address}/v1/customers", json={}, headers=headers).json()
        path = f"/v1/customers/{made['customer_id']}?min_position={made['position']}"
        assert asked("GET", service.address + path, headers=headers).status_code == 200
        code, seconds = worker.end()
    assert code == 0
    assert seconds < ENOUGH_SECONDS


def test_a_worker_delivers_what_webhooks_of_a_service_without_one_are_to_tell(amends: CommandLine):
    key = amends("keys", "create", "office", "--scope", "append", "--scope", "admin", "--quiet").out.strip()
    headers = {"Authorization": f"Bearer {key}"}
    allowed = {"AMENDS_WEBHOOK_HTTP": "true", "AMENDS_WEBHOOK_ALLOW": "127.0.0.1"}
    house = CommandLine(amends.folder, {**amends.settings, **allowed})
    with receiver() as crm, house.running("serve", "--port", "0", "--no-worker") as service:
        made = asked("POST", f"{service.address}/v1/webhooks", json={"url": crm.url}, headers=headers).json()
        asked("POST", f"{service.address}/v1/customers", json={}, headers=headers)
        assert crm.told == []
        with house.running("worker") as worker:
            crm.wait_for(1)
            code, seconds = worker.end()
    told = Webhook(made["secret"]).verify(crm.told[0].body, crm.told[0].headers)
    assert told["type"] == "amends.relationship.opened.v1"
    assert (code, seconds < ENOUGH_SECONDS) == (0, True)


def test_a_worker_tells_programs_its_ledger(amends: CommandLine):
    with amends.running("worker", "--json") as worker:
        assert worker.output.readline().strip() == '"ledger": "main"'


def test_a_database_that_was_never_migrated_is_said_in_one_line(tmp_path: Path):
    told = command_line(tmp_path).process("serve", "--port", "0")
    assert told.code == 1
    assert told.err == "not_migrated: the database is at empty, this program needs 0013; run: amends migrate\n"


def test_a_port_that_is_taken_is_said_in_one_line(amends: CommandLine):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        told = amends.process("serve", "--port", str(port))
    assert (told.code, told.err) == (1, f"cannot_listen: 127.0.0.1:{port}: Address already in use\n")


def test_a_port_that_cannot_be_is_a_wrong_use(amends: CommandLine):
    told = amends("serve", "--port", "99999", code=2)
    assert "less than or equal to 65535" in " ".join(told.err.replace("│", " ").split())


def test_a_key_file_in_a_folder_that_is_not_there_is_said_in_one_line(tmp_path: Path):
    told = command_line(tmp_path, key_file="nowhere/amends.key").process("migrate")
    assert (told.code, told.err) == (1, "keys_broken: nowhere/amends.key: No such file or directory\n")


@pytest.mark.parametrize(
    ("setting", "value", "line"),
    [
        (
            "AMENDS_PORT",
            "high",
            "invalid_value: AMENDS_PORT: Input should be a valid integer, unable to parse string as an integer",
        ),
        (
            "AMENDS_DATABASE_URL",
            "a secret that is no address",
            "invalid_value: AMENDS_DATABASE_URL: this is no address of a database",
        ),
    ],
)
def test_a_setting_that_cannot_be_meant_is_named_without_its_value(
    tmp_path: Path, setting: str, value: str, line: str
):
    told = CommandLine(tmp_path, {setting: value}).process("migrate")
    assert (told.code, told.err) == (1, line + "\n")


def test_a_database_nobody_answers_for_is_said_in_one_line_without_the_password(tmp_path: Path):
    told = command_line(tmp_path, "postgresql://amends:hush-hush@127.0.0.1:1/amends").process("migrate")
    assert told.code == 1
    assert told.err.startswith("unavailable: the database cannot be reached: ")
    assert "hush-hush" not in told.err
    assert len(told.err.splitlines()) == 1


def test_a_worker_shows_its_metrics_on_a_port_of_their_own(amends: CommandLine):
    watched = CommandLine(amends.folder, {**amends.settings, "AMENDS_METRICS_PORT": "0"})
    with watched.running("worker") as worker:
        told = Exposition(asked("GET", f"http://127.0.0.1:{metrics_port(amends.folder)}/metrics").text)
        code, seconds = worker.end()
    assert told.value("amends_database_up", ledger="main") == 1
    assert told.has("amends_writer_queue_commands")
    assert told.value("amends_last_sweep_timestamp_seconds") > 0
    assert code == 0
    assert seconds < ENOUGH_SECONDS


def test_a_service_may_show_its_metrics_there_only(amends: CommandLine):
    apart = {**amends.settings, "AMENDS_METRICS": "off", "AMENDS_METRICS_PORT": "0"}
    with CommandLine(amends.folder, apart).running("serve", "--port", "0") as service:
        assert asked("GET", f"{service.address}/metrics").status_code == 404
        there = f"http://127.0.0.1:{metrics_port(amends.folder)}/metrics"

        def requests() -> list[tuple[dict[str, str], float]]:
            found = Exposition(asked("GET", there).text).samples()
            return [(one.labels, one.value) for one in found if one.name == "amends_http_requests_total"]

        # An answer is counted when it was given, which another thread may be asked about sooner.
        only = [({"route": "/metrics", "method": "GET", "status": "4xx"}, 1)]
        eventually(lambda: requests() == only, "the one request is counted")


def test_a_port_for_metrics_that_is_taken_is_said_in_one_line(amends: CommandLine):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        told = CommandLine(amends.folder, {**amends.settings, "AMENDS_METRICS_PORT": str(port)}).process("worker")
    assert (told.code, told.err) == (1, f"cannot_listen: 127.0.0.1:{port}: Address already in use\n")


def metrics_port(folder: Path) -> int:
    """Where the process said that it shows its metrics."""
    lines = [json.loads(line) for line in (folder / "running.err").read_text().splitlines()]
    [port] = [line["port"] for line in lines if line["event"] == "metrics_served"]
    return int(port)
