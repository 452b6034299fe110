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
