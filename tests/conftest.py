"""What every test may ask for."""

from tests.postgres import empty_postgres_url, postgres_server, postgres_url
from tests.stores import database_url, sqlite_store, sqlite_template, sqlite_url, store

__all__ = [
    "database_url",
    "empty_postgres_url",
    "postgres_server",
    "postgres_url",
    "sqlite_store",
    "sqlite_template",
    "sqlite_url",
    "store",
]
