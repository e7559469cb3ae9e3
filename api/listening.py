"""Listening: the addresses at which a process answers, its service and, where wanted apart, its metrics."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, start_http_server

from domain.errors import Broken

log = structlog.get_logger("amends.metrics")
ENDS_WITHIN_SECONDS: Final = 1.0


class CannotListen(Broken):
    """The address is taken, not ours, or not to be had."""

    code = "cannot_listen"

    def __init__(self, host: str, port: int, fault: OSError) -> None:
        # Below zero are the codes of who looks names up, of which the system knows nothing.
        number = fault.errno or 0
        why = "nobody knows this name" if number < 0 else os.strerror(number)
        super().__init__(f"{host}:{port}: {why}")
        self.host, self.port = host, port


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, so that the port is known before anything is printed. Raises CannotListen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as fault:
        raise CannotListen(host, port, fault) from fault


@contextmanager
def metrics_served(host: str, port: int | None, registry: CollectorRegistry) -> Iterator[None]:
    """Answers with the metrics at this port until the block ends, and logs where; without a port, does nothing.

    Raises CannotListen.
    """
    if port is None:
        yield
        return
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as fault:
        raise CannotListen(host, port, fault) from fault
    log.info("metrics_served", host=host, port=server.server_address[1])
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(ENDS_WITHIN_SECONDS)
