"""Keys: one file of secrets, one key per subject, and one-way values that tell nothing."""

import json
import re
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import hypothesis
import pytest
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, update

from infrastructure.engine import begin_writing
from infrastructure.key_file import KeysBroken, create_secrets, read_secrets
from infrastructure.keys import Keyring, SubjectKey, WrongKey, normal
from infrastructure.tables import subject_keys
from tests.support.entropy import seeded

ELENI = UUID("11111111-1111-4111-8111-111111111111")
NIKOS = UUID("22222222-2222-4222-8222-222222222222")
AT = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)


class Ticks:
    """A clock that moves when told."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    create_secrets(tmp_path / "amends.key", seeded(1))
    return tmp_path / "amends.key"


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def keyring(path: Path, ticks: Ticks) -> Keyring:
    return Keyring(path, seeded(2), clock=ticks)


@pytest.fixture
def conn(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as conn:
        yield conn


def made(keyring: Keyring, conn: Connection, subject: UUID = ELENI, ledger: str = "main") -> SubjectKey:
    with begin_writing(conn):
        return keyring.make_subject_key(conn, ledger, subject, AT)


# The file.


def test_only_its_owner_can_read_the_key_file(path: Path):
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_file_is_never_overwritten(path: Path):
    before = path.read_bytes()
    with pytest.raises(KeysBroken):
        create_secrets(path)
    assert path.read_bytes() == before


def test_two_key_files_are_different(tmp_path: Path):
    create_secrets(tmp_path / "one")
    create_secrets(tmp_path / "two")
    assert Keyring(tmp_path / "one").check_value() != Keyring(tmp_path / "two").check_value()


def test_the_check_value_knows_its_file_again_and_reveals_none_of_it(path: Path):
    value = Keyring(path).check_value()
    assert value == Keyring(path, seeded(9)).check_value()
    assert len(value) == 32
    assert value.hex() not in path.read_text()


@pytest.mark.parametrize("part", ["kek", "index"])
def test_the_check_value_depends_on_both_secrets(path: Path, part: str):
    before = Keyring(path).check_value()
    path.write_text(json.dumps(json.loads(path.read_text()) | {part: "00" * 32}))
    assert Keyring(path).check_value() != before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_file_that_others_can_read_is_refused(path: Path, mode: int):
    path.chmod(mode)
    with pytest.raises(KeysBroken, match="chmod 600"):
        Keyring(path)


@pytest.mark.parametrize("change", [{"kek": "00" * 16}, {"index": "zz"}, {"format": "amends-keys/2"}, {"kek": 5}])
def test_a_malformed_key_file_is_refused_without_quoting_it(path: Path, change: dict[str, object]):
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | change))
    with pytest.raises(KeysBroken) as refused:
        read_secrets(path)
    assert content["index"] not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff"])
def test_what_is_no_key_file_is_refused(path: Path, content: bytes):
    path.write_bytes(content)
    with pytest.raises(KeysBroken):
        read_secrets(path)


def test_without_its_key_file_nothing_starts(tmp_path: Path):
    with pytest.raises(KeysBroken):
        Keyring(tmp_path / "absent")


def test_secrets_stand_in_no_repr(path: Path, keyring: Keyring):
    content = json.loads(path.read_text())
    drawn = keyring.draw("main", ELENI, AT)
    shown = repr([keyring, read_secrets(path), drawn, drawn.key])
    for secret in (bytes.fromhex(content["kek"]), bytes.fromhex(content["index"]), drawn.key.dek):
        assert secret.hex() not in shown
        assert repr(secret) not in shown


# One-way values.


def test_a_pseudonym_is_a_uuid_of_version_8_and_always_the_same(keyring: Keyring, path: Path):
    one = keyring.pseudonym("colleague", "login-7")
    assert (one.version, one.variant) == (8, "specified in RFC 4122")
    assert one == Keyring(path).pseudonym("colleague", "login-7")


@pytest.fixture
def plain(path: Path) -> Keyring:
    path.write_text(json.dumps({"format": "amends-keys/1", "kek_id": "k", "kek": "22" * 32, "index": "11" * 32}))
    return Keyring(path)


def test_the_published_one_way_values_never_change(plain: Keyring):
    # printf 'pseudonym\0colleague\0login-7' | openssl dgst -sha256 -mac HMAC -macopt hexkey:1111...
    # gives c31383efdc0ad97d0ee632882b0721df...; version and variant are set in it.
    assert plain.pseudonym("colleague", "login-7") == UUID("c31383ef-dc0a-897d-8ee6-32882b0721df")
    # The same with 'email\0eleni@example.gr' under the key HMAC(index, 'amends/lookup/v1').
    assert plain.blind_index("email", "Eleni@example.gr").hex() == (
        "ff8b34c4ecb36112d30035b54e57313c3312cbf4f4be74b94ef7e21ea8f1515a"
    )


def test_capitals_tell_two_colleagues_apart_and_blanks_around_an_id_tell_nobody_apart(keyring: Keyring):
    """To take them for one would give those who acted already another pseudonym than the ledger has."""
    assert keyring.pseudonym("colleague", "anna") != keyring.pseudonym("colleague", "Anna")
    assert keyring.pseudonym("colleague", " anna ") == keyring.pseudonym("colleague", "anna")


def test_pseudonyms_differ_by_kind_by_value_and_by_key_file(keyring: Keyring, tmp_path: Path):
    create_secrets(tmp_path / "other")
    others = {
        keyring.pseudonym("colleague", "7"),
        keyring.pseudonym("order", "7"),
        keyring.pseudonym("colleague", "8"),
        Keyring(tmp_path / "other").pseudonym("colleague", "7"),
    }
    assert len(others) == 4


@pytest.mark.parametrize("text", [str(ELENI), "ABCDEF01-2345-6789-ABCD-EF0123456789"])
def test_the_text_of_a_uuid_stays_itself(keyring: Keyring, text: str):
    assert str(keyring.pseudonym("colleague", text)) == text.lower()


@pytest.mark.parametrize("text", ["11111111111141118111111111111111", "{11111111-1111-4111-8111-111111111111}"])
def test_what_only_resembles_a_uuid_gets_a_pseudonym(keyring: Keyring, text: str):
    assert keyring.pseudonym("order", text).version == 8
    assert keyring.pseudonym("order", text) != ELENI


@pytest.mark.parametrize(
    ("kind", "one", "same"),
    [
        ("email", "Eleni@Example.GR", " eleni@example.gr"),
        ("email", "ΕΛΕΝΗΣ@example.gr", "ελένης@example.gr".replace("έ", "ε")),
        ("email", "\u0390@example.gr", "\u0390@example.gr".upper()),
        ("email", "ﬁn@example.com", "fin@example.com"),
        ("crm", "Caf\u00e9", "Cafe\u0301 "),
    ],
)
def test_spellings_of_one_reference_have_one_index(keyring: Keyring, kind: str, one: str, same: str):
    assert keyring.blind_index(kind, one) == keyring.blind_index(kind, same)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("crm", "a-1"), ("crm", "A-1")),
        (("crm", "ﬁ"), ("crm", "fi")),
        (("crm", "1"), ("erp", "1")),
        (("email", "a@example.com"), ("crm", "a@example.com")),
    ],
)
def test_different_references_have_different_indices(
    keyring: Keyring, one: tuple[str, str], other: tuple[str, str]
):
    assert keyring.blind_index(*one) != keyring.blind_index(*other)


@hypothesis.given(st.sampled_from(["email", "crm"]), st.text(st.characters(exclude_categories=["Cs"])))
def test_the_normal_form_is_its_own_normal_form(kind: str, value: str):
    assert normal(kind, normal(kind, value)) == normal(kind, value)


def test_a_fingerprint_tells_commands_apart_and_is_no_plain_digest(keyring: Keyring, tmp_path: Path):
    create_secrets(tmp_path / "other")
    assert keyring.fingerprint(b"{}") == keyring.fingerprint(b"{}")
    assert keyring.fingerprint(b"{}") != keyring.fingerprint(b"{ }")
    assert keyring.fingerprint(b"{}") != Keyring(tmp_path / "other").fingerprint(b"{}")


# Sealing.


def test_what_is_sealed_opens_with_its_key_in_its_place_only():
    key = SubjectKey(ELENI, b"k" * 32)
    sealed = key.seal("Ώρα".encode(), b"place", b"n" * 12)
    assert sealed[:12] == b"n" * 12
    assert key.open(sealed, b"place") == "Ώρα".encode()
    for other, place, text in [
        (key, b"elsewhere", sealed),
        (SubjectKey(ELENI, b"x" * 32), b"place", sealed),
        (key, b"place", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (key, b"place", sealed[:20]),
        (key, b"place", b""),
    ]:
        with pytest.raises(WrongKey):
            other.open(text, place)


def test_the_commitment_to_a_key_is_the_published_one():
    # printf amends/kc/v1 | openssl dgst -sha256 -mac HMAC -macopt hexkey:6b6b...6b
    assert SubjectKey(ELENI, b"k" * 32).kc.hex() == (
        "26460c9ad66c709f1ce5a59055deb7aefc5502ae057901d8acaf9f872f10ffe0"
    )


# Keys of subjects.


def test_a_subject_without_a_key_has_none(keyring: Keyring, conn: Connection):
    assert keyring.subject_key(conn, "main", ELENI) is None


def test_a_key_comes_back_from_the_database(keyring: Keyring, conn: Connection, path: Path):
    key = made(keyring, conn)
    assert keyring.subject_key(conn, "main", ELENI) == key
    assert Keyring(path).subject_key(conn, "main", ELENI) == key
    assert Keyring(path).subject_keys(conn, "main", [key.kid]) == {key.kid: key}


def test_every_subject_in_every_ledger_has_a_key_of_its_own(keyring: Keyring, conn: Connection):
    keys = [made(keyring, conn), made(keyring, conn, NIKOS), made(keyring, conn, ELENI, "other")]
    assert len({key.dek for key in keys}) == 3
    assert keyring.subject_key(conn, "other", ELENI) == keys[2]
    assert keyring.subject_keys(conn, "other", [keys[0].kid]) == {keys[0].kid: None}


def test_the_database_holds_no_key_in_the_clear(keyring: Keyring, conn: Connection):
    key = made(keyring, conn)
    row = conn.execute(subject_keys.select()).one()
    assert key.dek not in row.wrapped
    assert (row.kc, row.state, row.created_at, row.destroyed_at) == (key.kc, "active", AT, None)


@pytest.mark.parametrize("moved", [{"subject": NIKOS}, {"ledger": "other"}, {"kid": NIKOS}], ids=str)
def test_a_wrapped_key_moved_elsewhere_does_not_open(
    keyring: Keyring, conn: Connection, path: Path, moved: dict[str, object]
):
    made(keyring, conn)
    with begin_writing(conn):
        conn.execute(update(subject_keys).values(moved))
    place = {"ledger": "main", "subject": ELENI} | moved
    with pytest.raises(WrongKey):
        Keyring(path).subject_key(conn, place["ledger"], place["subject"])


def test_a_key_that_is_not_the_committed_one_is_noticed(keyring: Keyring, conn: Connection, path: Path):
    made(keyring, conn)
    with begin_writing(conn):
        conn.execute(update(subject_keys).values(kc=b"x" * 32))
    with pytest.raises(WrongKey):
        Keyring(path).subject_key(conn, "main", ELENI)


def test_a_key_wrapped_by_a_key_that_is_not_here_stops_everything(keyring: Keyring, conn: Connection, path: Path):
    made(keyring, conn)
    with begin_writing(conn):
        conn.execute(update(subject_keys).values(kek_id="another"))
    with pytest.raises(KeysBroken):
        Keyring(path).subject_key(conn, "main", ELENI)


def destroy(conn: Connection) -> None:
    with begin_writing(conn):
        conn.execute(update(subject_keys).values(wrapped=None, state="destroyed", destroyed_at=AT))


def test_a_destroyed_key_is_gone_within_a_minute(keyring: Keyring, conn: Connection, ticks: Ticks):
    key = made(keyring, conn)
    assert keyring.subject_key(conn, "main", ELENI) == key
    conn.rollback()
    destroy(conn)
    ticks.now += 59.9
    assert keyring.subject_keys(conn, "main", [key.kid]) == {key.kid: key}
    ticks.now += 0.1
    assert keyring.subject_key(conn, "main", ELENI) is None
    assert keyring.subject_keys(conn, "main", [key.kid]) == {key.kid: None}


def test_a_forgotten_key_is_gone_at_once(keyring: Keyring, conn: Connection):
    key = made(keyring, conn)
    keyring.subject_key(conn, "main", ELENI)
    conn.rollback()
    destroy(conn)
    keyring.forget()
    assert keyring.subject_keys(conn, "main", [key.kid]) == {key.kid: None}


def test_a_key_whose_transaction_failed_is_never_used_again(keyring: Keyring, conn: Connection):
    with conn.begin() as transaction:
        lost = keyring.make_subject_key(conn, "main", ELENI, AT)
        assert keyring.subject_key(conn, "main", ELENI) == lost
        transaction.rollback()
    assert keyring.subject_key(conn, "main", ELENI) is None


def test_many_keys_are_stored_and_read_together(keyring: Keyring, conn: Connection, path: Path):
    drawn = [keyring.draw("main", UUID(int=n), AT) for n in range(1, 1001)]
    with begin_writing(conn):
        keyring.store(conn, drawn)
        keyring.store(conn, [])
    wanted = {one.key.kid: one.key for one in drawn}
    assert Keyring(path).subject_keys(conn, "main", wanted) == wanted
    assert re.fullmatch(r"[0-9a-f-]{36}", str(drawn[0].key.kid))
