"""Faults of ours in a call to the relay: logged without what was said."""

from __future__ import annotations

import logging
import traceback

from infra.base import request_ids
from push.relay.core.endings import Ending

log = logging.getLogger(__name__)


def fault(error: Exception) -> Ending:
    """How a call ends that has met a fault of ours, which is logged: where it was, and never its text, as that may
    quote what was said."""
    places = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s in a call to the relay\n%s", type(error).__name__, places)
    return Ending("INTERNAL", "internal", f"a fault of the server, logged as {request_ids.current()}")
