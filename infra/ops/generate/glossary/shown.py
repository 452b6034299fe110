"""Words that the console and the command line show: explained where they stand, in plain words."""

from __future__ import annotations

from infra.ops.generate.glossary.entry import GlossaryEntry

TERMS = (
    GlossaryEntry(
        "actor",
        "who did it",
        "The user, service or operator whose command an event came of; `system` is Klatsch itself.",
        "events.core.records:actor",
        "actor (W3C, Activity Streams 2.0)",
    ),
    GlossaryEntry(
        "command",
        "what was asked for",
        "A request to change something; its shard's owner makes events of it, or refuses it.",
        "producers.commands:Command",
        "command (Young, CQRS Documents, 2010)",
    ),
    GlossaryEntry(
        "delivery",
        "a change handed to a connection",
        "One delta that was given to one open connection.",
        "push.metrics:DELIVERIES",
        "delivery (OASIS, AMQP 1.0)",
    ),
    GlossaryEntry(
        "application",
        "whose users these are",
        "A tenant of the installation: users, rooms and messages of its own, its API keys and settings. What names "
        "none is in the default one.",
        "events.apps:App",
        "tenant (Azure Architecture Center, Architect multitenant solutions)",
    ),
    GlossaryEntry(
        "delta",
        "a change, as clients get it",
        "What an event changes of what one user sees.",
        "events.core.feed:deltas",
        "publication (Centrifugo)",
    ),
    GlossaryEntry(
        "event",
        "what happened",
        "A fact, written to the log once and never changed: a message was posted, a room renamed.",
        "events.core.records:Event",
        "domain event (Vernon, Implementing Domain-Driven Design, ch. 8); event (CloudEvents 1.0)",
    ),
    GlossaryEntry(
        "feed",
        "what people are told",
        "The topic from which connections are served: each event's deltas, by recipient.",
        "projectors.feed.projector:FeedProjector",
        "fan-out on write to home timelines (Kleppmann, Designing Data-Intensive Applications, ch. 1)",
    ),
    GlossaryEntry(
        "handles",
        "names that are taken",
        "Usernames, e-mail addresses and room names of one's choice: who has which, so that nobody else gets it.",
        "events.handles:Handle",
        "reservation (Rotem-Gal-Oz, SOA Patterns)",
    ),
    GlossaryEntry(
        "hub",
        "the switchboard of connections",
        "Reads the feed once for all connections of a process.",
        "push.delivery.hub:Hub",
        "hub (Centrifugo)",
    ),
    GlossaryEntry(
        "catch-up",
        "coming back",
        "What a client that was away gets instead of a fresh snapshot: the deltas since.",
        "push.metrics:CATCH_UPS",
        "recovery (Centrifugo); catch-up subscription (KurrentDB)",
    ),
    GlossaryEntry(
        "lag",
        "not there yet",
        "Events that stand in the log, and that the read models or the feed do not have yet; usually under a "
        "second's worth.",
        "projectors.core.metrics:LAG",
        "consumer lag (Kafka)",
    ),
    GlossaryEntry(
        "log",
        "the record of all that happened",
        "The topics of Kafka that hold all events, for ever: what Klatsch is made of.",
        "producers.engine.log:ShardLog",
        "log (Kreps, The Log, 2013); event store",
    ),
    GlossaryEntry(
        "months",
        "old messages put aside",
        "Messages of old months can be written to files and taken out of the database.",
        "infra.base.months:may_be_archived",
        "range partition (PostgreSQL)",
    ),
    GlossaryEntry(
        "owner",
        "the process that decides",
        "For each shard one process, which takes its commands one by one; if it goes, another takes over.",
        "producers.engine.shard:ShardOwner",
        "single writer (Thompson, Single Writer Principle, 2011)",
    ),
    GlossaryEntry(
        "p99",
        "the slowest one in a hundred",
        "99 of 100 requests were answered within this time.",
        "api.console.history:quantile",
        "tail latency (Dean, Barroso, The Tail at Scale, 2013)",
    ),
    GlossaryEntry(
        "parked",
        "waits for a fix",
        "An event could not be applied: what follows it in the same room or for the same person waits, "
        "everything else goes on.",
        "projectors.core.parking:park",
        "parked message (KurrentDB); dead letter channel (Hohpe, Woolf, Enterprise Integration Patterns)",
    ),
    GlossaryEntry(
        "position",
        "a place in the log",
        "Topic, shard and offset of an event: `rooms/3/1234`.",
        "events.core.positions:Position",
        "topic, partition and offset (Kafka)",
    ),
    GlossaryEntry(
        "projector",
        "what reads the log",
        "Makes something of the events: tables, or the feed.",
        "projectors.core.runner:Projector",
        "projection (Young, CQRS Documents, 2010)",
    ),
    GlossaryEntry(
        "read models",
        "the tables that are read",
        "The tables of Postgres from which reads are answered; made from the log, and can be made anew.",
        "projectors.read_models.projector:ReadModels",
        "read model (Young, CQRS Documents, 2010)",
    ),
    GlossaryEntry(
        "rebuild",
        "making the tables anew",
        "Folds the whole log into fresh tables, then switches to them.",
        "projectors.rebuild.run:rebuild",
        "complete rebuild, replay (Fowler, Event Sourcing, 2005)",
    ),
    GlossaryEntry(
        "record",
        "an entry of the log",
        "An event with its place in the log; a few are only signs of a new owner.",
        "events.core.records:Record",
        "record (Kafka)",
    ),
    GlossaryEntry(
        "role",
        "what a process does",
        "api answers, push holds connections, feed and project read the log, analytics finds emotions, usage counts.",
        "infra.ops.cli:ROLES",
        "process type (The Twelve-Factor App, VIII)",
    ),
    GlossaryEntry(
        "shard",
        "a part of the log",
        "Rooms, people and names are spread over shards; each is written by one owner, in order.",
        "events.core.positions:Shard",
        "partition (Kafka)",
    ),
    GlossaryEntry(
        "signals",
        "presence and typing",
        "Who is there and who types: told to others, and kept nowhere.",
        "push.delivery.signals:Signals",
        "ephemeral events (Matrix)",
    ),
    GlossaryEntry(
        "standby",
        "ready to take over",
        "It works as soon as the process that does it now goes away.",
        "projectors.core.runner:standby",
        "hot standby (PostgreSQL)",
    ),
    GlossaryEntry(
        "stream",
        "one thing's events",
        "All events of one room, one person or one name, in order.",
        "events.core.records:stream",
        "stream (KurrentDB); the events of one aggregate (Evans, Domain-Driven Design)",
    ),
    GlossaryEntry(
        "term",
        "an owner's turn",
        "Where in the log the present owner of a shard began; it rises with each new owner, and what an older"
        " one still writes is void.",
        "events.core.log:TermFilter",
        "term (Ongaro, Ousterhout, Raft, 2014); fencing token (Kleppmann, Designing Data-Intensive Applications, "
        "ch. 8)",
    ),
)
