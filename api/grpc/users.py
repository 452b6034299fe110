"""S1's UserService: accounts of Klatsch, by the name that S1 calls the user's id."""

from __future__ import annotations

from typing import Any

from google.protobuf.empty_pb2 import Empty

from api.grpc.calls import Calls, Unary
from api.grpc.inbound import Context
from api.support.problems import Problem
from events.core.faults import wrong
from push.relay.core_service_pb2 import LoginRequest, LoginResponse, RegisterRequest

#: Characters of a name of S1.
NAME_CHARACTERS = 64
_FIELDS = {"username": "user_id"}


class UserService:
    """``methods``: the service's methods by name."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self.methods: dict[str, Unary] = {"Register": self._register, "Login": self._login}

    async def _register(self, message: RegisterRequest, context: Context) -> Empty:
        def members() -> dict[str, Any]:
            within_name(message.name)
            # A message has no way to say that it has no password: an empty one is refused as too short.
            given = {"username": message.user_id, "password": message.password}
            return {**given, "name": message.name} if message.name else given

        answer = await self._calls.run(context, "users.register", members, _FIELDS)
        # The answer has no room for its token: whoever registers here logs in.
        await self._calls.log_out(context, answer["token"])
        return Empty()

    async def _login(self, message: LoginRequest, context: Context) -> LoginResponse:
        given = {"username": message.user_id, "password": message.password}
        answer = await self._calls.run(context, "sessions.open", lambda: given, _FIELDS)
        return LoginResponse(token=answer["token"])


def within_name(name: str) -> None:
    """Raises Problem ``invalid`` for a name that is longer than S1 has them."""
    if len(name) > NAME_CHARACTERS:
        found = f"{len(name)} characters"
        raise Problem("invalid", errors=[wrong("/name", f"at most {NAME_CHARACTERS} characters", found)])
