"""Side jobs: what fails there is told and left alone for a while, and holds nobody else up."""

from collections.abc import Callable
from time import monotonic
from typing import Final

import structlog

from infrastructure.bell import PATIENCE_SECONDS
from infrastructure.folding import described
from infrastructure.reasons import codes

log = structlog.get_logger(__name__)
REST: Final = 4
"""What failed rests so many times as long as it took: no more than a fifth of the time goes to it."""


class SideJobs:
    """Does what may fail by itself: rebuilds, retries, tidying, beside the folding of one ledger."""

    def __init__(self, ledger: str) -> None:
        self._ledger = ledger
        self._rests_until: dict[str, float] = {}

    def done(self, name: str, job: Callable[[], bool]) -> bool:
        """Whether the job did something; not while it rests from having failed."""
        begun = monotonic()
        if begun < self._rests_until.get(name, 0.0):
            return False
        try:
            return job()
        except Exception as fault:  # noqa: BLE001 - whatever it is, those who fold must not feel it
            said = {"ledger": self._ledger, "job": name, "fault": described(fault)}
            log.warning("projector_job_failed", **said, **codes(fault))
            now = monotonic()
            self._rests_until[name] = now + max(PATIENCE_SECONDS, REST * (now - begun))
            return False
