"""S1's ChannelService: live channels, and what their servers report."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from google.protobuf.empty_pb2 import Empty

from api.grpc.calls import Calls, Streaming, Unary
from api.grpc.inbound import Context
from push.relay.core_service_pb2 import Channel, ChannelServer, ListenResponse, ReportRequest, User
from push.relay.grpc_transport import TICKET_METADATA

#: Channels that are read at once for List; a client receives them one by one.
PAGE = 100
_FIELDS = {"channel": "id"}


class ChannelService:
    """``methods``: the service's methods by name."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self.methods: dict[str, Unary | Streaming] = {
            "List": self._list, "Create": self._create, "Delete": self._delete, "Listen": self._listen,
            "Report": self._report,
        }  # fmt: skip

    async def _list(self, message: Channel, context: Context) -> AsyncIterator[Channel]:
        if message.id:
            found = await self._calls.run(context, "channels.get", lambda: {"channel": message.id}, _FIELDS)
            yield as_message(found["channel"])
            return
        members: dict[str, Any] = {"limit": PAGE}
        while True:
            page = await self._calls.run(context, "channels.list", partial(dict, members))
            for one in page["channels"]:
                yield as_message(one)
            if page["next"] is None:
                return
            members = {"limit": PAGE, "cursor": page["next"]}

    async def _create(self, message: Channel, context: Context) -> Channel:
        given = {"name": message.name, "limit": message.limit}
        return as_message((await self._calls.run(context, "channels.create", lambda: given))["channel"])

    async def _delete(self, message: Channel, context: Context) -> Empty:
        await self._calls.run(context, "channels.delete", lambda: {"channel": message.id}, _FIELDS)
        return Empty()

    async def _listen(self, message: Channel, context: Context) -> ListenResponse:
        answer = await self._calls.run(context, "channels.listen", lambda: {"channel": message.id}, _FIELDS)
        await context.send_initial_metadata(((TICKET_METADATA, answer["token"]),))
        server = answer["server"]
        return ListenResponse(server=ChannelServer(id=server["id"], addr=server["address"], name=server["name"]))

    async def _report(self, message: ReportRequest, context: Context) -> Empty:
        def members() -> dict[str, Any]:
            channels = [{"id": one.id, "users": [{"id": user.id} for user in one.users]} for one in message.channels]
            return {"metric": dict(message.metric.kv), "channels": channels}

        await self._calls.run(context, "channels.report", members, {"metric": "metric.kv"})
        return Empty()


def as_message(view: dict[str, Any]) -> Channel:
    """A channel as the operations show it, as S1 has it. One that was just made is shown without users."""
    users = [User(id=one["id"], name=one["name"]) for one in view.get("users", ())]
    return Channel(id=view["id"], name=view["name"], users=users, limit=view["limit"])
