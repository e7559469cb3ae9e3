"""Addresses: which receivers may be reached, so that nobody reads our own network through a webhook."""

import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import SplitResult, urlsplit

from domain.errors import AddressRefused

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolver = Callable[[str, int], Sequence[str]]
"""(host, port) -> the addresses it leads to; none when there is no such host."""

LONGEST: Final = 2000
PORTS: Final = {"https": 443, "http": 80}
"""Where a receiver listens whose address names no port."""
_OPEN_PORTS: Final = (443, 8443)
"""Elsewhere mail, databases and control channels listen, which an HTTP request must not reach."""
_OPEN_V6: Final = ip_network("2000::/3")
# Python's `is_global` is not enough: it takes NAT64, 6to4 and multicast for the open network.
_CLOSED: Final[tuple[Network, ...]] = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "168.63.129.16/32",  # open by its number, and the inside of a machine at Azure
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
            "2001::/23",  # Teredo among them
            "2001:db8::/32",
            "2002::/16",
            "3fff::/20",
        ),
    )
)


def in_the_open(address: Address) -> bool:
    """Whether it is an address of the open internet: nothing of ours, and no other spelling of one."""
    if isinstance(address, IPv6Address) and address not in _OPEN_V6:
        return False
    return address.is_global and not address.is_multicast and not any(address in one for one in _CLOSED)


def resolved(host: str, port: int) -> list[str]:
    """What the machine's own resolver says, odd spellings of addresses included."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(one[4][0]) for one in found))


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a house lets us reach besides the open internet: receivers of its own, by name or network."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    http: bool = False

    @classmethod
    def of(cls, named: Iterable[str], *, http: bool) -> "Allowed":
        """From names, addresses and networks as an operator writes them."""
        hosts, networks = set(), []
        for one in named:
            try:
                networks.append(ip_network(one, strict=False))
            except ValueError:
                hosts.add(_plain(one))
        return cls(frozenset(hosts), tuple(networks), http)

    def host(self, host: str) -> bool:
        """Whether this very name is vouched for."""
        return _plain(host) in self.hosts

    def address(self, address: Address) -> bool:
        """Whether this address is."""
        return any(address in one for one in self.networks)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a webhook goes, in parts that no two programs read differently."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


class Guard:
    """Lets nobody be reached but those in the open, and those the house allows."""

    def __init__(self, allowed: Allowed, resolve: Resolver = resolved) -> None:
        self._allowed, self._resolve = allowed, resolve

    def target(self, url: str) -> Target:
        """The parts of this address. Raises AddressRefused for what is no plain web address."""
        parts, port = _split(url)
        if parts.scheme not in PORTS or (parts.scheme == "http" and not self._allowed.http):
            raise AddressRefused("scheme")
        if "@" in parts.netloc:
            raise AddressRefused("userinfo")
        if not parts.hostname:
            raise AddressRefused("host")
        _refuse_odd(parts.netloc, parts.hostname, port)
        path = parts.path or "/"
        return Target(
            parts.scheme,
            parts.hostname,
            PORTS[parts.scheme] if port is None else port,
            f"{path}?{parts.query}" if parts.query else path,
        )

    def reach(self, target: Target) -> list[str]:
        """The addresses to connect to, every one of them checked: connect to these and look nothing up again.

        Raises AddressRefused when there is none, or one that must not be reached.
        """
        found = list(self._resolve(target.host, target.port))
        if not found:
            raise AddressRefused("unresolved")
        vouched = self._allowed.host(target.host)
        for one in map(ip_address, found):
            # One bad among good ones is enough: it would be the next to be tried.
            if not vouched and not self._allowed.address(one):
                _refuse_closed(one, target)
        return found


def _refuse_closed(address: Address, target: Target) -> None:
    if not in_the_open(address):
        raise AddressRefused("address")
    if target.scheme != "https":
        raise AddressRefused("scheme")
    if target.port not in _OPEN_PORTS:
        raise AddressRefused("port")


def _refuse_odd(said: str, host: str, port: int | None) -> None:
    # urlsplit passes over what stands around a host in brackets; another program may take that for the host.
    plain = f"[{host}]" if ":" in host else host
    if said.lower() != (plain if port is None else f"{plain}:{port}"):
        raise AddressRefused("url")


def _split(url: str) -> tuple[SplitResult, int | None]:
    # urlsplit takes out tabs and line ends, and browsers take a backslash for a slash.
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or set(url) & set(' \\"<>#'):
        raise AddressRefused("url")
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError:
        raise AddressRefused("url") from None


def _plain(host: str) -> str:
    return host.lower().rstrip(".")
