-- Events that operators have passed over (infra/operate/parked.py); a rebuild passes over them too.
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
