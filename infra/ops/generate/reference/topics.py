"""``docs/reference/topics.md``: the topics, their settings, and how to read them."""

from __future__ import annotations

from events.core.log import OPENED_HEADER, TERM_HEADER
from events.registry import REGISTRY
from infra.base import kafka
from infra.base.settings import Settings
from infra.ops.generate.reference.markdown import code, codes, page, table
from infra.ops.generate.topics import ABOUT, EVENT_TOPICS, FILTER, JQ_FILTER, READERS_RULE


def page_text() -> str:
    """The page."""
    settings = Settings()
    specs = kafka.topic_specs(settings)
    names = [spec.topic.removeprefix(f"{settings.prefix}.") for spec in specs]
    listing = table(
        ("topic", "partitions", "what stands in it"),
        ((code(spec.topic), str(spec.partitions), ABOUT[name]) for spec, name in zip(specs, names, strict=True)),
    )
    keys = list(dict.fromkeys(key for spec in specs for key in spec.settings))
    matrix = table(
        ("setting", *map(code, names)),
        ((code(key), *(spec.settings.get(key, "") for spec in specs)) for key in keys),
    )
    types = table(
        ("topic", "event types"),
        (
            (code(name), codes(row.name for row in REGISTRY.events.values() if name in row.topics))
            for name in EVENT_TOPICS
        ),
    )
    return page(
        "Topics",
        "Names begin with the installation's prefix (`KLATSCH_PREFIX`, `klatsch`). Partition counts are chosen at "
        "installation (`KLATSCH_PARTITIONS`, `KLATSCH_FEED_PARTITIONS`) and fixed from then on; figures below are the "
        "defaults. A start refuses topics whose settings or partition counts are others.",
        listing, "## Event types", types, _RECORD, "## Settings", matrix, _rule(),
    )  # fmt: skip


_RECORD = f"""\
## A record

| part | content |
| --- | --- |
| key | the stream, in UTF-8: a user's, room's or name's events are in one partition, in order. \
It is the envelope's `subject`; only `log.opened` has `log` here, and topic and partition (`rooms/3`) as subject |
| partition | as Kafka's default partitioner has it (murmur2 of the key), so that any tool finds a key where it looks |
| value | a CloudEvents 1.0 envelope in JSON, UTF-8: [events](events.md) |
| header `{TERM_HEADER}` | the writer's term, in decimal digits |
| header `{OPENED_HEADER}` | only on `log.opened`, instead of `{TERM_HEADER}` |
| header `content-type` | `application/cloudevents+json; charset=UTF-8` |
| timestamp | when it was appended, by the owner's clock (`CreateTime`). \
The envelope's `time` is when it happened: some milliseconds before; for imported history, years |

All events of one command are in one batch: a reader sees them all or none. Offsets have no holes, and an event's
offset is the `version` of what it changed."""


def _rule() -> str:
    return f"""\
## The readers' rule

{READERS_RULE}

In practice few records are ever void, and a log that never lost an owner has none; but a count that must be right needs
the rule. In Python, for records as `aiokafka` and `kafka-python` give them:

<!-- not run: a test of its own runs it -->
```python
{FILTER}```

For the output of `kcat -J`, with `jq -cn -f valid.jq`:

<!-- not run: a test of its own runs it -->
```jq
{JQ_FILTER}```

To begin in the middle of a partition, begin with the term that held there: keep it beside your offset, or take the
first `term` that you meet, then the higher one whenever a higher one comes."""
