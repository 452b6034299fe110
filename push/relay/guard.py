"""What all methods of a relay have in common: refusals as gRPC's statuses, faults without their text, the secret."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, NoReturn

import grpc
import grpc.aio

from infra.base import request_ids
from push.relay import metrics
from push.relay.core.endings import RETRY_SECONDS, Ending, RelayRefused
from push.relay.faults import fault
from push.relay.statuses import detailed, retry_info

log = logging.getLogger(__name__)

#: Of a call of one process to another: the value proves that the caller knows the installation's secret.
PROOF_METADATA = "klatsch-internal"
#: Trailing metadata of Connect: how many frames the receiver has lost.
DROPPED_METADATA = "frames-dropped"

Context = grpc.aio.ServicerContext[Any, Any]
Method = Callable[[Any, Context], Awaitable[Any]]


def guarded(method: Method) -> Method:
    """The method with an id for each call; what it raises becomes a status, INTERNAL with the id for what is ours."""

    @wraps(method)
    async def run(request: Any, context: Context) -> Any:
        request_ids.begin()
        try:
            return await method(request, context)
        except grpc.aio.AbortError:
            raise
        except RelayRefused as refused:
            await abort(context, refused.ending)
        except grpc.aio.InternalError:
            # gRPC's word for an operation that came too late: the client is gone, and nobody is left to tell.
            log.debug("a client of the relay is gone before the end of its call")
        except Exception as error:
            await abort(context, fault(error))

    return run


async def abort(context: Context, ending: Ending, dropped: int | None = None) -> NoReturn:
    """Ends a call with a status that is not OK. ``dropped``: frames that the receiver has lost. Raises AbortError."""
    metrics.ENDS.labels(ending.type).inc()
    code = grpc.StatusCode[ending.status]
    retry = RETRY_SECONDS.get(ending.status)
    status = detailed(code, ending.type, ending.detail, *([] if retry is None else [retry_info(retry)]))
    trailing: list[tuple[str, str | bytes]] = [("grpc-status-details-bin", status.SerializeToString())]
    if dropped is not None:
        trailing.append((DROPPED_METADATA, str(dropped)))
    await context.abort(code, ending.detail, tuple(trailing))


def check_proof(context: Context, expected: str) -> None:
    """Raises RelayRefused unless the caller is a process of this installation."""
    values = [value for key, value in context.invocation_metadata() or () if key == PROOF_METADATA]
    given = values[0] if len(values) == 1 else ""
    # Compared as bytes: text that is not ASCII would raise.
    if not hmac.compare_digest(given if isinstance(given, bytes) else given.encode(), expected.encode()):
        raise RelayRefused(
            "PERMISSION_DENIED", "forbidden", f"expected a process of this installation, with its {PROOF_METADATA}"
        )
