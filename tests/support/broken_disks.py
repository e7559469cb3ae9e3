"""A disk that breaks: what a process writes to chosen files fails as an operating system says it, while it lasts.

A library of ours stands between the process and the system's (LD_PRELOAD): that takes no rights, but a compiler.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Final, Literal

Failing = Literal["sync", "write"]
FAILING: Final[tuple[Failing, Failing]] = ("sync", "write")
# What is not about a chosen file goes straight to the kernel, as does everything while there is no fault.
_SOURCE: Final = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int broken(int fd, const char *what) {
    char link[64], file[PATH_MAX], flag[PATH_MAX];
    const char *folder = getenv("BROKEN_DISK");
    if (!folder) return 0;
    snprintf(flag, sizeof flag, "%s/%s", folder, what);
    if (access(flag, F_OK) != 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, file, sizeof file - 1);
    if (length < 0) return 0;
    file[length] = 0;
    return strstr(file, "amends.db") != NULL;
}
static long failed(void) { errno = EIO; return -1; }

ssize_t write(int fd, const void *from, size_t n) {
    return broken(fd, "write") ? failed() : syscall(SYS_write, fd, from, n);
}
ssize_t pwrite(int fd, const void *from, size_t n, off_t at) {
    return broken(fd, "write") ? failed() : syscall(SYS_pwrite64, fd, from, n, at);
}
ssize_t pwrite64(int fd, const void *from, size_t n, off_t at) { return pwrite(fd, from, n, at); }
int fsync(int fd) { return broken(fd, "sync") ? failed() : syscall(SYS_fsync, fd); }
int fdatasync(int fd) { return broken(fd, "sync") ? failed() : syscall(SYS_fdatasync, fd); }
"""
# A process that was forked has its libraries already, so it begins anew.
BEGINS_ANEW: Final = """
import os, sys
os.execv(sys.executable, [sys.executable, "-c", {program!r}, *sys.argv[1:]])
"""


class NoCompiler(Exception):
    """There is no C compiler on this machine."""


@dataclass(frozen=True)
class BrokenDisk:
    """What is to fail, as files in a folder that the library looks for."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to meet the faults."""
        return {"LD_PRELOAD": str(self.folder / "broken.so"), "BROKEN_DISK": str(self.folder)}

    def begin(self, what: Failing) -> None:
        """From now on this fails with EIO, an error of the device."""
        (self.folder / what).touch()

    def end(self, what: Failing) -> None:
        """It works again."""
        (self.folder / what).unlink()


def broken_disk(folder: Path) -> BrokenDisk:
    """A disk that works so far. Raises NoCompiler."""
    compiler = which("cc")
    if compiler is None:
        raise NoCompiler("no C compiler (cc)")
    folder.mkdir()
    source = folder / "broken.c"
    source.write_text(_SOURCE)
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", folder / "broken.so", source], check=True)
    return BrokenDisk(folder)
