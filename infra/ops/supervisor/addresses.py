"""Host and port out of the addresses that people write."""

from __future__ import annotations

from urllib.parse import urlsplit


def host_and_port(address: str, default_port: int) -> tuple[str, int]:
    """Of a URL or DSN: ``postgresql://u:p@host:5432/db`` -> ``("host", 5432)``. Raises ValueError for a bad port."""
    parts = urlsplit(address)
    return parts.hostname or "127.0.0.1", parts.port or default_port


def kafka_addresses(bootstrap: str) -> list[tuple[str, int]]:
    """``a:9092,b:9092`` -> ``[("a", 9092), ("b", 9092)]``; 9092 where no port is given."""
    return [host_and_port(f"//{part.strip()}", 9092) for part in bootstrap.split(",") if part.strip()]
