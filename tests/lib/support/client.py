"""The clients of the tests: those of the published kit."""

from overcoat.middleware.testing._client import CLIENTS, READS_ALL, Client

__all__ = ["CLIENTS", "READS_ALL", "Client"]
