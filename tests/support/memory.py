"""Memory: how much a process holds, as Linux tells it."""

from pathlib import Path


def resident_mb(name: str, process: int | str = "self") -> float:
    """What is resident of a process now (VmRSS), or was at most (VmHWM).

    Not getrusage: after an exec its ru_maxrss still counts the parent this process was forked from.
    """
    for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(name):
            return round(int(line.split()[1]) / 1024, 1)
    raise LookupError(name)
