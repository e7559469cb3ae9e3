"""Settings: where the data lives and how much we take, read from environment variables AMENDS_*."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

LedgerName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
"""The name of a ledger: it stands in every key and every header, so its alphabet is small."""


class Settings(BaseSettings):
    """What an operator may choose; every field is the environment variable AMENDS_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="AMENDS_", frozen=True)

    # The address may carry a password: never in a repr, a log line or a traceback.
    database_url: str = Field(default="sqlite:///amends.db", repr=False)
    ledger: LedgerName = "main"
    key_file: Path = Path("amends.key")
    max_backdate_days: Annotated[int, Field(ge=0)] = 400
    body_limit: Annotated[int, Field(ge=1024)] = 1024 * 1024
    """The largest request body, in bytes."""
    max_batch: Annotated[int, Field(ge=1)] = 500
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    base_url: str | None = None
    """How others reach us, as in https://amends.example.com; None: http://host:port."""
    queue_size: Annotated[int, Field(ge=1)] = 10_000
    """How many commands may wait for the writer before callers are told to come back."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def address(self) -> str:
        """The address printed for people and put into documents, without a slash at the end."""
        return (self.base_url or f"http://{self.host}:{self.port}").rstrip("/")
