"""A client of S1 in Python, with the code that grpcio-tools makes of S1's own text: two people register, talk in a
channel, one is cut off, and the channel ends. Argument: JSON with ``address`` and ``prefix``. Prints a line a step."""

import json
import queue
import sys
import threading
import time

import core_service_pb2 as s1
import core_service_pb2_grpc as services
import grpc

options = json.loads(sys.argv[1])
connection = grpc.insecure_channel(options["address"])
users, channels = services.UserServiceStub(connection), services.ChannelServiceStub(connection)
PASSWORD = "correct horse battery"


def person(name):
    id = f"{options['prefix']}-{name}"
    users.Register(s1.RegisterRequest(user_id=id, password=PASSWORD, name=name))
    token = users.Login(s1.LoginRequest(user_id=id, password=PASSWORD)).token
    return [("authorization", f"Bearer {token}")]


def listen(who, id):
    """Once more as soon as it is let: one may every two seconds."""
    while True:
        try:
            answer, call = channels.Listen.with_call(s1.Channel(id=id), metadata=who)
            return answer.server.addr, dict(call.initial_metadata())["channel-token"]
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                raise
            time.sleep(0.2)


class Member:
    """Connected; ``received`` and ``ended`` are queues."""

    def __init__(self, who, id):
        address, token = listen(who, id)
        self.received, self.ended, self._sent = queue.Queue(), queue.Queue(), queue.Queue()
        stub = services.ChatServiceStub(grpc.insecure_channel(address))
        self._call = stub.Connect(iter(self._sent.get, None), metadata=[("channel-token", token)])
        assert "user-number" in dict(self._call.initial_metadata())
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            for message in self._call:
                self.received.put(message)
            self.ended.put("OK")
        except grpc.RpcError as error:
            self.ended.put(error.code().name)

    def say(self, **fields):
        self._sent.put(s1.Message(**fields))

    def leave(self):
        self._sent.put(None)


def main():
    ada, bob = person("ada"), person("bob")
    print("registered")
    one, two = (channels.Create(s1.Channel(name=name, limit=2), metadata=ada) for name in ("One", "Two"))
    print("created", one.name, one.limit, str(two.id > one.id).lower())
    print("listed", *(found.name for found in channels.List(s1.Channel(id=one.id), metadata=bob)))
    print("all", sum(found.id in (one.id, two.id) for found in channels.List(s1.Channel(), metadata=ada)))
    first, second = Member(ada, one.id), Member(bob, one.id)
    first.say(data=b"hello", timestamp=7)
    message = second.received.get()
    print("received", message.data.decode(), message.timestamp, str(message.user_id > 0).lower())
    third = Member(bob, two.id)
    print("elsewhere", second.ended.get())
    channels.Delete(s1.Channel(id=two.id), metadata=ada)
    print("deleted", third.ended.get())
    first.leave()
    print("left", first.ended.get())
    channels.Delete(s1.Channel(id=one.id), metadata=ada)
    try:
        list(channels.List(s1.Channel(id=one.id), metadata=ada))
    except grpc.RpcError as error:
        print("gone", error.code().name)


main()
