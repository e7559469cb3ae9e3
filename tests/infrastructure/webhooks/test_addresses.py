"""Which addresses a webhook may reach (T-34, T-36): nothing of the house's own network, however it is spelt."""

from collections.abc import Sequence
from ipaddress import ip_address

import pytest
from pydantic import ValidationError

from domain.errors import AddressRefused
from infrastructure.settings import Settings
from infrastructure.webhooks.addresses import Allowed, Guard, in_the_open, resolved

CLOSED = [
    "0.0.0.0",  # noqa: S104 - not to listen on
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.254",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::808:808",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "ff02::1",
]
OPEN = ["8.8.8.8", "1.1.1.1", "100.63.255.255", "172.32.0.1", "2606:4700:4700::1111", "2a00:1450:4001:80b::200e"]


def leads_to(*addresses: str, allowed: Sequence[str] = (), http: bool = False) -> Guard:
    """A guard for which every name leads there."""
    return Guard(Allowed.of(allowed, http=http), lambda host, port: addresses)


def refused(guard: Guard, url: str) -> str:
    with pytest.raises(AddressRefused) as refusal:
        guard.reach(guard.target(url))
    return refusal.value.reason


@pytest.mark.parametrize("address", CLOSED)
def test_t_34_what_is_not_in_the_open_is_refused_after_the_look_up(address: str):
    assert not in_the_open(ip_address(address))
    assert refused(leads_to(address), "https://crm.example.com/") == "address"
    assert refused(leads_to("8.8.8.8", address), "https://crm.example.com/") == "address"


@pytest.mark.parametrize("address", OPEN)
def test_what_is_in_the_open_is_reached(address: str):
    guard = leads_to(address)
    assert guard.reach(guard.target("https://crm.example.com/amends?tenant=7")) == [address]


@pytest.mark.parametrize(
    "host",
    ["0177.0.0.1", "2130706433", "0x7f.1", "127.1", "0x7f000001", "localhost", "[::1]", "[::ffff:7f00:1]", "0"],
)
def test_t_34_other_spellings_of_our_own_machine_are_refused(host: str):
    guard = Guard(Allowed())
    assert refused(guard, f"https://{host}/") == "address"
    assert resolved(guard.target(f"https://{host}/").host, 443) != []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", "scheme"),
        ("gopher://crm.example.com/", "scheme"),
        ("ftp://crm.example.com/", "scheme"),
        ("http://crm.example.com/", "scheme"),
        ("//crm.example.com/", "scheme"),
        ("crm.example.com", "scheme"),
        ("https://user:word@crm.example.com/", "userinfo"),
        ("https://@crm.example.com/", "userinfo"),
        ("https:///amends", "host"),
        ("https://:443/", "host"),
        ("https://crm.example.com:0x1bb/", "url"),
        ("https://crm.example.com:99999/", "url"),
        ("https://[2606:4700:4700::1111]x/", "url"),
        ("https://x[2606:4700:4700::1111]/", "url"),
        ("https://crm.example.com:/", "url"),
        ("https://crm.example.com:0443/", "url"),
        ("https://[::1/", "url"),
        ("https://crm.example.com\\@127.0.0.1/", "url"),
        ("https://crm.example.com/\r\nHost: x", "url"),
        ("https://crm.example.com/a b", "url"),
        ("https://crm.example.com/#part", "url"),
        ("https://καφές.example.com/", "url"),
        ("https://crm.example.com/" + "a" * 2000, "url"),
        ("https://crm.example.com:22/", "port"),
        ("https://crm.example.com:80/", "port"),
        ("https://crm.example.com:6379/", "port"),
        ("https://crm.example.com:0/", "port"),
    ],
)
def test_t_36_what_is_no_plain_web_address_is_refused(url: str, reason: str):
    assert refused(leads_to("8.8.8.8"), url) == reason


def test_a_name_that_nobody_knows_is_refused():
    assert refused(leads_to(), "https://crm.example.com/") == "unresolved"
    assert resolved("crm.invalid", 443) == []


def test_a_house_vouches_for_receivers_of_its_own_by_name_address_or_network():
    for allowed in ("CRM.internal.", "10.4.0.7", "10.4.0.0/16"):
        guard = leads_to("10.4.0.7", allowed=[allowed])
        assert guard.reach(guard.target("https://crm.internal:9999/hooks")) == ["10.4.0.7"]
    assert refused(leads_to("10.5.0.7", allowed=["10.4.0.0/16"]), "https://crm.internal/") == "address"
    assert refused(leads_to("10.4.0.7", allowed=["crm.internal"]), "https://erp.internal/") == "address"


def test_http_needs_the_word_of_the_house_and_leads_to_receivers_of_its_own_alone():
    guard = leads_to("10.4.0.7", allowed=["crm.internal", "10.4.0.0/16"], http=True)
    assert guard.target("http://crm.internal").port == 80
    for host in ("crm.internal", "erp.internal"):
        assert guard.reach(guard.target(f"http://{host}:9999/")) == ["10.4.0.7"]
    assert refused(leads_to("8.8.8.8", http=True), "http://crm.example.com/") == "scheme"
    assert refused(leads_to("10.5.0.7", http=True), "http://crm.example.com/") == "address"
    assert refused(leads_to("10.4.0.7", "8.8.8.8", allowed=["10.4.0.7"], http=True), "http://x.test/") == "scheme"


def test_the_host_is_said_as_the_receiver_knows_it():
    guard = leads_to("8.8.8.8", http=True)
    said = {
        "https://crm.example.com/x?y=1": ("crm.example.com", "/x?y=1"),
        "https://crm.example.com:8443": ("crm.example.com:8443", "/"),
        "http://CRM.example.com:80/": ("crm.example.com", "/"),
        "https://[2606:4700::1111]/": ("[2606:4700::1111]", "/"),
    }
    for url, (authority, path) in said.items():
        target = guard.target(url)
        assert (target.authority, target.path) == (authority, path)


def test_what_an_operator_allows_is_read_with_commas_between_and_a_misspelt_network_is_refused():
    settings = Settings(webhook_allow=" crm.internal, 10.4.7.1/16 ,")
    allowed = Allowed.of(settings.webhook_receivers, http=False)
    assert allowed.host("crm.internal")
    assert allowed.address(ip_address("10.4.200.1"))
    assert not allowed.address(ip_address("10.5.0.1"))
    assert Allowed.of(Settings().webhook_receivers, http=False) == Allowed()


@pytest.mark.parametrize(
    "said",
    [
        "10.4.0.0/160",
        "crm.internal:8443",
        "[::1]",
        "*.corp",
        "https://crm.internal/",
        "10.4.0",
        "crm internal",
        "-a",
    ],
)
def test_what_is_no_name_address_or_network_of_a_receiver_is_refused_at_the_start(said: str):
    with pytest.raises(ValidationError):
        Settings(webhook_allow=f"crm.internal, {said}")


def test_every_spelling_of_a_name_an_address_or_a_network_is_taken():
    said = "CRM.internal., crm, crm_2.corp, xn--9ca.example, 3crm.example, 10.4.0.7, ::1, fd00::/8"
    assert len(Settings(webhook_allow=said).webhook_receivers) == 8
