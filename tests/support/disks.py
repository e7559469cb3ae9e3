"""Small disks: file systems of a few megabytes that a test can fill up, and empty again."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_DETACH: Final = 2
_CHUNK: Final = 64 * 1024


class NoMount(Exception):
    """This machine lets nobody like us mount a file system; the message says why."""


@dataclass(frozen=True)
class Disk:
    """A file system in memory, of its own and of a fixed size."""

    folder: Path

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self, leave_bytes: int = 0) -> None:
        """Writes until nothing more fits but so many bytes."""
        free = os.statvfs(self.folder)
        wanted = free.f_bavail * free.f_frsize - leave_bytes
        with self._ballast.open("ab", buffering=0) as ballast:
            try:
                while wanted > 0:
                    wanted -= ballast.write(bytes(min(wanted, _CHUNK)))
            except OSError:
                return  # full: somebody else took the rest

    def empty(self) -> None:
        """Takes away what filled it."""
        self._ballast.unlink(missing_ok=True)


@contextmanager
def disk(folder: Path, megabytes: int, owner: int = 0) -> Iterator[Disk]:
    """A disk of this size, mounted at this folder for as long as the block lasts, and owned by this user.

    Raises NoMount where only somebody more privileged may do so.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    folder.mkdir(exist_ok=True)
    where = os.fsencode(folder)
    if libc.mount(b"tmpfs", where, b"tmpfs", 0, f"size={megabytes}m,uid={owner},mode=0700".encode()) != 0:
        raise NoMount(os.strerror(ctypes.get_errno()))
    try:
        yield Disk(folder)
    finally:
        # Detached, as a process that was killed a moment ago may still hold it.
        libc.umount2(where, _DETACH)
