"""Settings: where the data lives and how much we take, read from environment variables AMENDS_*."""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

LedgerName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
"""The name of a ledger: it stands in every key and every header, so its alphabet is small."""
_LABEL: Final = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
# A name whose last part is a number would be read as an address by whoever looks it up.
_HOST: Final = re.compile(rf"(?!(.*\.)?(\d+|0x[0-9a-f]*)\.?$)({_LABEL}\.)*{_LABEL}\.?", re.IGNORECASE)


class Settings(BaseSettings):
    """What an operator may choose; every field is the environment variable AMENDS_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="AMENDS_", frozen=True, use_attribute_docstrings=True)

    # It may carry a password: never in a repr, a log line or a traceback.
    database_url: str = Field(default="sqlite:///amends.db", repr=False)
    """Where the data lives: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE."""
    ledger: LedgerName = "main"
    """Which ledger of that database this process works on."""
    key_file: Path = Path("amends.key")
    """The file of secrets that belongs to the database. Without it personal parts cannot be read."""
    max_backdate_days: Annotated[int, Field(ge=0)] = 400
    """How long ago an event may have happened; imports may tell older ones."""
    body_limit: Annotated[int, Field(ge=1024)] = 1024 * 1024
    """The largest request body, in bytes."""
    max_batch: Annotated[int, Field(ge=1)] = 500
    """How many events a batch may hold."""
    host: str = "127.0.0.1"
    """The address to listen on."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """The port to listen on; 0 takes a free one."""
    base_url: str | None = None
    """How others reach us, as in https://amends.example.com; absent: http://host:port."""
    queue_size: Annotated[int, Field(ge=1)] = 10_000
    """How many commands may wait for the writer before callers are told to come back."""
    database_patience_seconds: Annotated[float, Field(ge=1, le=8)] = 8.0
    """How long the database may take to answer; then callers are told that it cannot be reached."""
    read_connections: Annotated[int, Field(ge=1, le=1000)] = 40
    """How many connections the reads of one process may use at once; the writer has its own."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Which log lines are written to standard error."""
    metrics: Literal["open", "off"] = "open"
    """Whether `serve` answers GET /metrics, without a key."""
    metrics_port: Annotated[int | None, Field(ge=0, le=65535)] = None
    """Serve the metrics (of `serve` or `worker`) on this port of AMENDS_HOST too; 0 takes a free one."""

    webhook_http: bool = False
    """Whether receivers named in AMENDS_WEBHOOK_ALLOW may be reached by http://, too; nobody else ever is."""
    webhook_allow: str | None = None
    """Receivers inside the house that webhooks may reach: names, addresses and networks, with commas between."""

    @field_validator("webhook_allow")
    @classmethod
    def _receivers_are_receivers(cls, said: str | None) -> str | None:
        for one in _listed(said):
            if _HOST.fullmatch(one) is None:  # misspelt, it would pass for a name that nobody has
                ip_network(one, strict=False)
        return said

    @property
    def webhook_receivers(self) -> tuple[str, ...]:
        """What AMENDS_WEBHOOK_ALLOW names."""
        return _listed(self.webhook_allow)

    @property
    def address(self) -> str:
        """The address printed for people and put into documents, without a slash at the end."""
        return (self.base_url or f"http://{self.host}:{self.port}").rstrip("/")


def _listed(said: str | None) -> tuple[str, ...]:
    return tuple(one.strip() for one in (said or "").split(",") if one.strip())
