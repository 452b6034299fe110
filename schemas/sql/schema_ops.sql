-- What is not folded from the event topics and stays when the read models are made anew.

create table installation (
    version     integer not null,
    -- Ids of the event topics that all offsets belong to; other topics of the same names are refused.
    log         text,
    installed   timestamptz not null default now(),
    -- From what the channels of notifications are named: whoever may connect may listen to a name that they know.
    notices     text not null default gen_random_uuid()::text
);

-- The vault: password hashes and sealed secrets, kept in the compacted topic "secrets" and copied here.
create table credentials (
    id          text collate "C" primary key,
    hash        text,
    created     timestamptz not null default now(),
    -- What is read again: sealed (api/support/sealing.py).
    sealed      text,
    constraint credentials_one check (num_nonnulls(hash, sealed) = 1)
);

-- Months of messages that are kept up to date but not read (infra/base/months.py).
create table archived_months (
    month       text collate "C" primary key,
    archived_at timestamptz not null default now()
);

-- Events that operators have passed over (infra/ops/commands/parked.py); a rebuild passes over them too.
create table skipped (
    consumer    text not null,
    topic       text collate "C" not null,
    partition   integer not null,
    "offset"    bigint not null,
    stream      text collate "C" not null,
    type        text not null,
    error       text not null,
    reason      text not null,
    operator    text not null,
    skipped_at  timestamptz not null default now(),
    primary key (consumer, topic, partition, "offset")
);

-- Up to where the feed is known to be complete: the sources' next offsets, and the feed's end at that time.
create table feed_checkpoints (
    feed_partition integer primary key,
    feed_offset    bigint not null,
    -- The term of the feed partition at that time.
    feed_term      bigint not null,
    -- {"rooms/3": [next offset, term]}
    sources        jsonb not null
);

-- Servers of live channels as they report themselves, by the clock of Postgres: who has not for some seconds is dead.
create table channel_servers (
    id          text collate "C" primary key,
    address     text not null,
    -- Base of the URLs of its WebSockets; null: it has none.
    url         text,
    name        text not null,
    metric      jsonb not null,
    -- {"7": {"ada": 1234}}: by channel, who is in it, each with the offset of the listen that let them in; 0: not told.
    users       jsonb not null,
    -- How many are in all of them.
    busy        bigint not null,
    reported    timestamptz not null default now(),
    -- When it last did not take a channel that it was given.
    aside       timestamptz
);

-- Which server a channel was given to.
create table channel_places (
    channel     bigint primary key,
    server      text collate "C" not null,
    since       timestamptz not null default now()
);
create index channel_places_server on channel_places (server);

-- Roles of Postgres that see the rows of one application (infra/base/readers.py). Each sees its own row here, which the
-- policies of the live tables ask for.
create table readers (
    role        text collate "C" primary key,
    app         text collate "C" not null,
    created     timestamptz not null default now()
);
alter table readers enable row level security;
create policy readers on readers for select using (role = current_user::text);
-- What applications use in a window of time, counted from the log (projectors/usage); kept when read models are folded
-- anew, with places of its own.
create table usage_metrics (
    app         text collate "C" not null,
    -- Of the window: hour or day.
    length      text collate "C" not null,
    metric      text collate "C" not null,
    -- Of the window, UTC.
    start       timestamptz not null,
    value       bigint not null,
    primary key (app, length, metric, start)
);

-- Who did something in a window: what is counted once for each.
create table usage_actors (
    app         text collate "C" not null,
    length      text collate "C" not null,
    start       timestamptz not null,
    "user"      text collate "C" not null,
    primary key (app, length, start, "user")
);

-- Up to where the log has been counted.
create table usage_positions (
    topic       text collate "C" not null,
    partition   integer not null,
    next_offset bigint not null,
    term        bigint,
    primary key (topic, partition)
);
