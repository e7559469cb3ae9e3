"""The key file: the secrets that no database holds, on a disk where only their owner reads them."""

import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from domain.errors import Broken
from infrastructure.entropy import Entropy

FILE_FORMAT: Final = "amends-keys/1"


class KeysBroken(Broken):
    """The secrets cannot be used as they are; nothing may start until somebody has looked."""

    code = "keys_broken"


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the key file holds: the key that wraps subject keys, and the key behind pseudonyms and look-ups."""

    kek_id: str
    kek: bytes = field(repr=False)
    index: bytes = field(repr=False)


def create_secrets(path: Path, entropy: Entropy | None = None) -> None:
    """Writes a new key file that only its owner can read. Raises KeysBroken when there is one, or no place for it.

    Called by `migrate` on an empty database and by nobody else: two machines must never make two keys.
    """
    entropy = entropy or Entropy()
    content = {
        "format": FILE_FORMAT,
        "kek_id": str(entropy.random_id()),
        "kek": entropy.source(32).hex(),
        "index": entropy.source(32).hex(),
    }
    try:
        # O_EXCL: of two who try at once, one fails; the mode is right from the first moment.
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeysBroken(f"{path} exists already; a key file is never overwritten") from None
    except OSError as fault:
        raise KeysBroken(f"{path}: {os.strerror(fault.errno or 0)}") from fault
    with os.fdopen(number, "w", encoding="ascii") as file:
        json.dump(content, file, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    # Else a crash could keep the database that was migrated next, and lose the name of the file.
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def read_secrets(path: Path) -> Secrets:
    """The secrets of a key file. Raises KeysBroken when it is absent, malformed, or readable by others."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise KeysBroken(f"cannot read the key file {path}: {type(error).__name__}") from None
    if mode & 0o077:
        raise KeysBroken(f"others can read the key file {path} (mode {mode:04o}); run: chmod 600 {path}")
    try:
        content = json.loads(text)
        secrets = Secrets(content["kek_id"], bytes.fromhex(content["kek"]), bytes.fromhex(content["index"]))
    except (ValueError, KeyError, TypeError):
        # Without the cause: it would quote what it could not read.
        raise KeysBroken(f"{path} is not a key file") from None
    if content.get("format") != FILE_FORMAT or (len(secrets.kek), len(secrets.index)) != (32, 32):
        raise KeysBroken(f"{path} is not a key file of the format {FILE_FORMAT}")
    return secrets
