"""Real PostgreSQL and Valkey from wheels, for a machine that has neither; as an ordinary user and as root."""

from sandbox.servers.postgres import PostgresServer, embedded_postgres
from sandbox.servers.server import ServerFailed
from sandbox.servers.valkey import ValkeyServer, embedded_valkey

__all__ = ["PostgresServer", "ServerFailed", "ValkeyServer", "embedded_postgres", "embedded_valkey"]
