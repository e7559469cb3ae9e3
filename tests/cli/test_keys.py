"""keys: made and shown once, listed without their secrets, revoked for good."""

from pathlib import Path

import pytest

from domain.errors import InvalidValue
from tests.support.commands import CommandLine, asked, command_line


def test_a_key_is_all_that_create_prints(amends: CommandLine):
    told = amends("keys", "create", "webshop")
    assert told.out.startswith("amk_live_")
    assert len(told.out.splitlines()) == 1


def test_a_quiet_create_still_shows_the_key_for_there_is_no_second_time(amends: CommandLine):
    assert amends("keys", "create", "webshop", "--quiet").out.startswith("amk_live_")


def test_a_key_has_the_scopes_and_sources_it_was_made_with(amends: CommandLine):
    words = ("--scope", "audit", "--scope", "read", "--source", "urn:shop")
    made = amends("keys", "create", "auditor", *words, "--json").json
    assert made["name"] == "auditor"
    [listed] = amends("keys", "list", "--json").json["keys"]
    assert listed["key_id"] == made["key"].split("_")[2]
    assert (listed["scopes"], listed["sources"], listed["state"]) == (["audit", "read"], ["urn:shop"], "living")


def test_a_list_shows_no_secret(amends: CommandLine):
    secret = amends("keys", "create", "webshop").out.strip().split("_")[3]
    shown = amends("keys", "list").out + amends("keys", "list", "--json").out
    assert "webshop" in shown
    assert secret not in shown


def test_a_quiet_list_still_shows_what_was_asked_for(amends: CommandLine):
    amends("keys", "create", "webshop")
    assert amends("keys", "list", "--quiet").out == amends("keys", "list").out != ""


def test_an_unknown_scope_is_named(amends: CommandLine):
    told = amends.process("keys", "create", "webshop", "--scope", "everything")
    assert told.code == 1
    assert told.err.startswith("invalid_value: scopes: unknown: everything; there are act_for, admin, append")


@pytest.mark.parametrize("name", ["", "  "])
def test_a_key_without_a_name_is_not_made(amends: CommandLine, name: str):
    with pytest.raises(InvalidValue, match="name"):
        amends("keys", "create", name)
    assert amends("keys", "list", "--json").json == {"keys": []}


def test_a_revoked_key_opens_nothing(amends: CommandLine):
    key = amends("keys", "create", "webshop").out.strip()
    key_id = key.split("_")[2]
    assert amends("keys", "revoke", key_id).out == "Revoked.\n"
    assert amends("keys", "list").out.split()[:2] == [key_id, "revoked"]
    with amends.running("serve", "--port", "0") as service:
        headers = {"Authorization": f"Bearer {key}"}
        assert asked("GET", f"{service.address}/v1/events", headers=headers).status_code == 401


def test_revoking_what_is_not_there_or_no_longer_ends_with_exit_code_4(amends: CommandLine):
    key_id = amends("keys", "create", "webshop").out.split("_")[2]
    assert amends("keys", "revoke", key_id, "--json").json == {"key_id": key_id, "revoked": True}
    again = amends("keys", "revoke", key_id, "--quiet", code=4)
    assert (again.out, again.err) == ("", f"there is no living key {key_id}\n")


def test_keys_of_a_database_that_was_never_migrated_are_not_made(tmp_path: Path):
    told = command_line(tmp_path).process("keys", "create", "webshop")
    assert told.code == 1
    assert told.err.startswith("not_migrated: ")
