-- Monthly partitions of messages. A month's name stands in its table's: messages_2025_01.

-- name: installed
-- Whether there are read models.
select to_regclass('messages') is not null

-- name: lock
-- Keeps two from making the same month.
select pg_advisory_xact_lock(hashtext($1))

-- name: between_turns
-- Waits for the projector's turn, and keeps the next one waiting.
select from positions where consumer = $1 order by topic, partition for update

-- name: tables
-- Months that have a table, attached or not.
select replace(substr(relname, 10), '_', '-') as month
from pg_class
where relnamespace = current_schema()::regnamespace and relkind = 'r' and relname ~ '^messages_[0-9]{4}_[0-9]{2}$'

-- name: states
-- All months, the oldest first, with their bytes on disk, indexes included.
select coalesce(t.month, a.month) as month,
       case when a.month is null then 'attached' when t.month is null then 'gone' else 'archived' end as state,
       coalesce(pg_total_relation_size(t.oid), 0) as bytes
from (
    select oid, replace(substr(relname, 10), '_', '-') as month
    from pg_class
    where relnamespace = current_schema()::regnamespace and relkind = 'r'
      and relname ~ '^messages_[0-9]{4}_[0-9]{2}$'
) t
full join archived_months a on a.month = t.month
order by 1

-- name: note_spans
-- Where a room's new messages are.
insert into spans (room, month, first, last, since, until, low, high)
select room, month, first, last, since::timestamptz, until::timestamptz, low, high
from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[])
    as s(room, month, first, last, since, until, low, high)
on conflict (room, month) do update
set first = least(spans.first, excluded.first), last = greatest(spans.last, excluded.last),
    since = least(spans.since, excluded.since), until = greatest(spans.until, excluded.until),
    low = least(spans.low, excluded.low), high = greatest(spans.high, excluded.high)

-- name: archived
-- Those of some months that were put aside.
select month from archived_months where month = any($1)

-- name: archive
-- A month is not read any more.
insert into archived_months (month) values ($1)

-- name: unarchive
-- A month is read again.
delete from archived_months where month = $1
