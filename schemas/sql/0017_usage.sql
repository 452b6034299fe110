-- What applications use, counted from the log by a worker with places of its own.
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
create table usage_actors (
    app         text collate "C" not null,
    length      text collate "C" not null,
    start       timestamptz not null,
    "user"      text collate "C" not null,
    primary key (app, length, start, "user")
);
create table usage_positions (
    topic       text collate "C" not null,
    partition   integer not null,
    next_offset bigint not null,
    term        bigint,
    primary key (topic, partition)
);
