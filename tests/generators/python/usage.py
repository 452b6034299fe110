"""What an app does first, with a client that openapi-python-client made of the contract. Prints what it read."""

from __future__ import annotations

import json
import sys
from typing import TypeVar

from klatsch_api import AuthenticatedClient, Client
from klatsch_api.api.messages import messages_read, messages_send
from klatsch_api.api.rooms import rooms_create, rooms_get
from klatsch_api.api.sessions import sessions_open
from klatsch_api.api.users import users_register
from klatsch_api.models import (
    ImageContent,
    ImageMessage,
    MessagesReadResponse200,
    MessagesSendResponse201,
    Problem,
    RoomsCreateBody,
    RoomsCreateBodyType,
    RoomsCreateResponse201,
    RoomSettingsChange,
    RoomSettingsChangePostingType0,
    SendImage,
    SendImageType,
    SendText,
    SessionsOpenBody,
    SessionsOpenResponse201,
    TextContent,
    TextMessage,
    UsersRegisterBody,
    UsersRegisterResponse201,
)

T = TypeVar("T")


def given(kind: type[T], answer: object) -> T:
    """The answer of an operation; anything else is an error."""
    if not isinstance(answer, kind):
        raise TypeError(f"expected {kind.__name__}, got {answer}")
    return answer


url, username = sys.argv[1:3]
stranger = Client(base_url=url)
registered = UsersRegisterBody(username=username, password="nanosecond")
given(UsersRegisterResponse201, users_register.sync(client=stranger, body=registered))
log_in = SessionsOpenBody(username=username, password="nanosecond")
session = given(SessionsOpenResponse201, sessions_open.sync(client=stranger, body=log_in))
client = AuthenticatedClient(base_url=url, token=session.token)

settings = RoomSettingsChange(posting=RoomSettingsChangePostingType0.ADMINS)
wanted = RoomsCreateBody(type_=RoomsCreateBodyType.PUBLIC, name="Compilers", settings=settings)
room = given(RoomsCreateResponse201, rooms_create.sync(client=client, body=wanted)).room

text = SendText(content=TextContent(text="Good morning"), client_id="c1")
given(MessagesSendResponse201, messages_send.sync(room.id, client=client, body=text))
picture = ImageContent(url="https://example.org/a.jpg", alt="A fox", width=640)
image = SendImage(type_=SendImageType.IMAGE, content=picture, client_id="c2")
given(MessagesSendResponse201, messages_send.sync(room.id, client=client, body=image))


def shown(message: object) -> str:
    """Its type says what a message holds."""
    if isinstance(message, TextMessage):
        return str(message.content.text)
    if isinstance(message, ImageMessage):
        return f"{message.content.alt} {message.content.width}"
    return type(message).__name__


page = given(MessagesReadResponse200, messages_read.sync(room.id, client=client, limit=10))
refused = given(Problem, rooms_get.sync("nowhere", client=client))
found = {
    "posting": room.settings.posting.value,
    "texts": [shown(message) for message in page.messages],
    "refused": refused.type_,
}
sys.stdout.write(json.dumps(found))
