"""A running server for generated clients."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.parts import Parts
from tests.servers import installation, serving


@pytest.fixture(scope="session")
async def url(parts: Parts) -> AsyncIterator[str]:
    """Where it listens."""
    async with installation(parts) as settings, serving(settings) as found:
        yield found
