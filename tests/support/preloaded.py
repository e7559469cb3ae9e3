"""Everything that a process of the program imports, for the one that the others are forked from."""

import ctypes
import signal

import api.app
import api.cli

_DIES_WITH_ITS_PARENT = 1
# Its children hold on to it, and it to them: without this all of them would outlive tests that were killed.
ctypes.CDLL(None).prctl(_DIES_WITH_ITS_PARENT, signal.SIGKILL)

__all__ = ["api"]
