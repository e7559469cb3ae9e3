"""demo: a store worth looking at, and everything one needs to look at it."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
from pathlib import Path

from tests.support.commands import CommandLine, asked, command_line, printed

ADDRESS = r"http://127\.0\.0\.1:\d+"


def test_a_demo_that_does_not_serve_leaves_a_store_with_events(demo: tuple[CommandLine, dict[str, object]]):
    amends, document = demo
    assert set(document) == {
        "api",
        "recoveries",
        "feed",
        "events",
        "store",
        "key",
        "curl",
        "curl_event",
        "events_told",
        "ends_with",
    }
    assert isinstance(document["events_told"], int)
    assert document["events_told"] > 300
    with amends.running("serve", "--port", "0", "--no-worker") as service:
        headers = {"Authorization": f"Bearer {document['key']}"}
        last = asked("GET", f"{service.address}/readyz").json()
        page = asked("GET", f"{service.address}/v1/events?limit=2", headers=headers).json()
    assert last["head"] == document["events_told"]
    assert page["next"] == 2


def test_a_program_is_told_what_the_demo_ends_with(demo: tuple[CommandLine, dict[str, object]]):
    ends_with = demo[1]["ends_with"]
    assert isinstance(ends_with, dict)
    assert [*ends_with] == ["queue", "feed", "obstacles", "budgets", "loyalty_makers"]
    assert all(one["path"].startswith("/v1/") for one in ends_with.values())
    assert len(ends_with["queue"]["rows"]) == 5
    heaviest = ends_with["obstacles"]["rows"][0]
    assert (heaviest["kind"], heaviest["n"], heaviest["minutes"]) == ("policy_block", "4", "165")


def test_a_quiet_demo_says_nothing(tmp_path: Path):
    told = CommandLine(tmp_path, {"TMPDIR": str(tmp_path)}).process(
        "demo", "--no-serve", "--quiet", "--customers", "0", "--days", "2"
    )
    assert (told.code, told.out, told.err) == (0, "", "")
    assert list(tmp_path.glob("amends-demo-*/amends.db"))


def test_a_demo_prints_addresses_a_key_and_a_line_to_try_which_works(tmp_path: Path):
    alone = CommandLine(tmp_path, {"TMPDIR": str(tmp_path)})
    with alone.running("demo", "--customers", "0", "--days", "30", "--lang", "el") as demo:
        tables, lines = [], [*printed(demo)]
        while "events of thirty days" not in lines[0]:
            tables.append(lines.pop(0))
        titles = [line for line in tables if "/v1/" in line]
        assert [line.split()[-1] for line in titles] == [
            "/v1/recoveries",
            "/v1/feed",
            "/v1/reports/obstacles",
            "/v1/budgets",
            "/v1/reports/loyalty-makers",
        ]
        assert max(len(line.rstrip("\n")) for line in tables) <= 80
        address = re.search(ADDRESS, lines[1])
        key = re.search(r"amk_live_\w+", lines[5])
        assert address
        assert key
        headers = {"Authorization": f"Bearer {key[0]}"}
        assert asked("GET", f"{address[0]}/docs").status_code == 200
        queue = asked("GET", f"{address[0]}/v1/recoveries", headers=headers).json()["data"]
        feed = asked("GET", f"{address[0]}/v1/feed", headers=headers).json()["items"]
        assert queue
        assert feed
        assert lines[7].strip() == (
            f"curl -H 'Authorization: Bearer {key[0]}' "
            """--json '{"customer": {"kind": "crm", "value": "C-1001"}}' """
            f"{address[0]}/v1/customers"
        )
        known = asked(
            "POST",
            f"{address[0]}/v1/customers",
            json={"customer": {"kind": "crm", "value": "C-1001"}},
            headers=headers,
        )
        assert known.status_code == 200
        direct = os.environ | {"NO_PROXY": "*", "no_proxy": "*"}
        said = subprocess.run(shlex.split(lines[8]), env=direct, capture_output=True, text=True, check=True).stdout
        assert json.loads(said)["receipts"][-1]["topic"]
        assert lines[10].strip() == f"export AMENDS={address[0]} KEY={key[0]}"
        assert demo.end(signal.SIGINT)[0] == 0


def test_a_demo_that_cannot_listen_leaves_no_folder(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        told = CommandLine(tmp_path, {"TMPDIR": str(tmp_path)}).process("demo", "--port", port)
    assert told.code == 1
    assert list(tmp_path.glob("amends-demo-*")) == []


def test_a_demo_leaves_the_settings_of_its_surroundings_alone(tmp_path: Path):
    store = tmp_path / "production.db"
    amends = command_line(tmp_path, f"sqlite:///{store}", key_file=os.fspath(tmp_path / "production.key"))
    with_folder = CommandLine(tmp_path, {**amends.settings, "TMPDIR": str(tmp_path)})
    assert with_folder.process("demo", "--no-serve", "--quiet", "--customers", "0", "--days", "1").code == 0
    assert not store.exists()
