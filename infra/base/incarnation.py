"""The incarnation of a Kafka topic: its topic id and partition count, which a Metadata request of version 10 tells.

The Kafka client in use asks with version 5, which knows no topic ids (they came with KIP-516), so the request's and the
answer's layout stand here. Source: kafka.apache.org/protocol, Metadata API (key 3) version 10.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Int64, Schema, TaggedFields

_text = CompactString("utf-8")

_PARTITION = (
    ("error_code", Int16),
    ("partition", Int32),
    ("leader", Int32),
    ("leader_epoch", Int32),
    ("replicas", CompactArray(Int32)),
    ("isr", CompactArray(Int32)),
    ("offline_replicas", CompactArray(Int32)),
    ("tags", TaggedFields),
)
_TOPIC = (
    ("error_code", Int16),
    ("topic", _text),
    # A UUID, as two numbers.
    ("id_high", Int64),
    ("id_low", Int64),
    ("is_internal", Boolean),
    ("partitions", CompactArray(*_PARTITION)),
    ("authorized_operations", Int32),
    ("tags", TaggedFields),
)
_BROKER = (("node_id", Int32), ("host", _text), ("port", Int32), ("rack", _text), ("tags", TaggedFields))


class _Answer(Response):  # type: ignore[misc]  # the client has no type information
    API_KEY = 3
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", CompactArray(*_BROKER)),
        ("cluster_id", _text),
        ("controller_id", Int32),
        ("topics", CompactArray(*_TOPIC)),
        ("authorized_operations", Int32),
        ("tags", TaggedFields),
    )


class _TopicQuery(RequestStruct):  # type: ignore[misc]  # the client has no type information
    API_KEY = 3
    API_VERSION = 10
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        ("topics", CompactArray(("id_high", Int64), ("id_low", Int64), ("topic", _text), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_operations", Boolean),
        ("include_topic_operations", Boolean),
        ("tags", TaggedFields),
    )


class _TopicRequest(Request[_TopicQuery]):  # type: ignore[misc]  # the client has no type information
    API_KEY = 3

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def build(self, request_struct_class: type[_TopicQuery]) -> _TopicQuery:
        return request_struct_class([(0, 0, self._topic, {})], False, False, False, {})


class Incarnation(NamedTuple):
    """One life of a topic. Another topic of the same name, or another partition count, is another incarnation."""

    epoch: str
    partitions: int


def incarnation_of(id_high: int, id_low: int, partitions: int) -> Incarnation:
    """From the two halves of a topic id: ``<22 characters of base64url>.<partition count>``."""
    raw = id_high.to_bytes(8, signed=True) + id_low.to_bytes(8, signed=True)
    return Incarnation(f"{urlsafe_b64encode(raw).decode().rstrip('=')}.{partitions}", partitions)


async def incarnation(client: AIOKafkaClient, topic: str) -> Incarnation:
    """The present incarnation of a topic; ``client`` is a started one (``aiokafka_private.network``).

    Raises KafkaError, such as UnknownTopicOrPartitionError when there is no such topic.
    """
    answer = await client.send(client.get_random_node(), _TopicRequest(topic))
    code, _, high, low, _, partitions, *_ = answer.topics[0]
    if code:
        raise for_code(code)(f"topic {topic}")
    return incarnation_of(high, low, len(partitions))
