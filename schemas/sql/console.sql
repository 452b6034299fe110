-- Queries of the operators' console.

-- name: events
-- A stream's events of one shard within a range of offsets, as the fold takes them.
select topic, partition, "offset", id, type, stream, actor, command, app, time, data::text as data from changes
where topic = $1 and partition = $2 and stream = $3 and "offset" > $4 and "offset" <= $5
order by "offset"
limit $6

-- name: processes
-- What the processes of the installation call themselves to Postgres.
select distinct application_name as name from pg_stat_activity
where datname = current_database() and starts_with(application_name, $1)

-- name: parked
-- How much waits for a fix, by consumer.
select consumer, count(distinct stream) as streams, count(*) as events from parked group by consumer order by consumer

-- name: sizes
-- The largest tables, their partitions together, with estimated rows and bytes on disk.
select case when relname ~ '^messages_[0-9]{4}_[0-9]{2}$' then 'messages' else relname::text end as name,
       sum(greatest(reltuples, 0))::bigint as rows, sum(pg_total_relation_size(oid))::bigint as bytes
from pg_class
where relnamespace = current_schema()::regnamespace and relkind = 'r'
group by 1 order by bytes desc, name limit 8

-- name: database
-- Bytes of the whole database, sessions that are open, months put aside.
select pg_database_size(current_database()) as bytes,
       (select count(*) from sessions where closed is null and expires > now()) as sessions,
       (select count(*) from archived_months) as archived_months

-- name: find_rooms
-- Rooms by id or a part of the name, of whatever kind, those with the latest activity first.
select r.* from rooms r
where $1::text is null or r.id = $1 or (r.grams @> $2::text[] and r.folded like $3)
order by r.updated desc, r.id limit 20

-- name: room
-- Whether a room was ever made.
select from rooms where id = $1

-- name: names
-- What people are called now.
select id, case when name = '' then username else name end as name from users where id = any($1::text[])

-- name: tail_names
-- Names of people and rooms for who watches events: "Ada (ada)", "#Tea", and of a direct room those of its two people.
select id, case when username = '' then name when name in ('', username) then username
    else name || ' (' || username || ')' end as name
from users where id = any($1::text[])
union all
select r.id, case
    when r.type = 'direct' then (
        select string_agg(case when u.name = '' then u.username else u.name end, ' and ' order by u.username)
        from members m join users u on u.id = m."user" where m.room = r.id)
    when r.name = '' then '' else '#' || r.name end
from rooms r where r.id = any($1::text[])
