"""How migrations reach the database: on a connection handed in, or on the one the settings name."""

import importlib.util

from alembic import context
from sqlalchemy import Connection, MetaData
from sqlalchemy.pool import NullPool

from infrastructure.engine import begin_writing, make_engine
from infrastructure.settings import Settings
from infrastructure.tables import metadata


def every_table() -> list[MetaData]:
    """The tables of the store and of the projections, to compare with; none where nothing is compared."""
    if context.config.attributes.get("upgrading"):
        return []
    importlib.import_module("infrastructure.webhooks.tables")  # declares them among those of the store
    if importlib.util.find_spec("projections.base") is None:
        return [metadata]
    importlib.import_module("projections")  # declares the tables of every projection
    return [metadata, importlib.import_module("projections.base").metadata]


def run(connection: Connection) -> None:
    """Runs what was asked, inside the caller's transaction: all of it happens or nothing does."""
    context.configure(connection=connection, target_metadata=every_table(), render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


def run_on_paper() -> None:
    """Prints the SQL instead of running it (alembic upgrade --sql)."""
    url = Settings().database_url
    context.configure(url=url, target_metadata=every_table(), literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


def run_on_settings() -> None:
    """Runs on the database the settings name."""
    engine = make_engine(Settings().database_url, poolclass=NullPool)
    with engine.connect() as connection, begin_writing(connection):
        run(connection)
    engine.dispose()


given = context.config.attributes.get("connection")
if context.is_offline_mode():
    run_on_paper()
elif given is not None:
    run(given)
else:
    run_on_settings()
