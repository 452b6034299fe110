-- Queries of the commands for operators: names, parked events, the way of a message.

-- name: names
-- Names of people and rooms, as people would say them.
select id, case when username = '' then name when name in ('', username) then username
    else name || ' (' || username || ')' end as name
from users where id = any($1::text[])
union all
select id, case when name = '' then '' else '#' || name end from rooms where id = any($1::text[])

-- name: standing
-- Whether some users are erased, what they said with it, and whether they are of another team than a room ($2).
select u.id, u.erased is not null as erased, coalesce(u.erasure->>'messages' = 'hide', false) as hidden,
       exists (select from rooms r where r.id = $2 and r.team is distinct from u.team) as apart
from users u where u.id = any($1::text[])

-- name: parked_list
-- Streams with parked events, the longest waiting first: the event on which each waits, and how many wait.
select distinct on (p.since, p.consumer, p.stream) p.consumer, p.stream, first.topic, first.partition,
       first."offset", first.type, first.error, p.waiting, p.since
from (select consumer, stream, count(*) as waiting, min(parked_at) as since from parked group by consumer, stream) p
join parked first on first.consumer = p.consumer and first.stream = p.stream
order by p.since, p.consumer, p.stream, first.topic, first.partition, first."offset"

-- name: parked_stream
-- A stream's parked events, in order.
select consumer, topic, partition, "offset", stream, type, value, error, parked_at from parked
where stream = $1
order by consumer, topic, partition, "offset"
limit $2

-- name: parked_count
-- How many events of a stream are parked, by consumer.
select consumer, count(*) as waiting from parked where stream = $1 group by consumer

-- name: skipped
-- Events that were passed over, the latest first.
select consumer, topic, partition, "offset", stream, type, error, reason, operator, skipped_at from skipped
order by skipped_at desc, topic, partition, "offset"

-- name: message
-- A message as the read models have it.
select room, seq, author, token, type, created, edited, deleted, version from messages where id = $1

-- name: parked_message
-- Parked events that name a message, by its id as JSON.
select consumer, topic, partition, "offset", stream, type, value, error, parked_at from parked
where position($1::bytea in value) > 0
order by topic, partition, "offset"
limit 10

-- name: event_by_command
-- The events of one command: by stream, actor and key.
select topic, partition, "offset", type, stream, actor, command, time, data from changes
where hashtextextended(stream || E'\n' || actor || E'\n' || command, 0)
        = hashtextextended($1 || E'\n' || $2 || E'\n' || $3, 0)
  and stream || E'\n' || actor || E'\n' || command = $1 || E'\n' || $2 || E'\n' || $3
order by topic, partition, "offset"

-- name: event_at
-- One event by its position.
select topic, partition, "offset", type, stream, actor, command, time, data from changes
where topic = $1 and partition = $2 and "offset" = $3

-- name: event_of_message
-- The event that made a message, up to an offset: for messages that no client's command made.
select topic, partition, "offset", type, stream, actor, command, time, data from changes
where stream = $1 and "offset" <= $2 and data->>'message' = $3
order by "offset"
limit 1

-- name: applied
-- Up to where the read models are in a shard.
select next_offset, term from positions where consumer = $1 and topic = $2 and partition = $3

-- name: fed_below
-- The offset below which all of a shard is known to be fed to a feed partition.
select feed_partition, (sources->$1->>0)::bigint as below from feed_checkpoints

-- name: put_aside
-- Whether an event is parked or was skipped, and the event on which its stream waits.
select 'parked' as state, consumer, error as why from parked where topic = $1 and partition = $2 and "offset" = $3
union all
select 'skipped', consumer, reason || ' (' || operator || ')' from skipped
where topic = $1 and partition = $2 and "offset" = $3

-- name: stays_of
-- When a user was in a room: after ``since``, up to ``until``; and up to where the user has read.
select since, null::bigint as until, read, read_at from members where room = $1 and "user" = $2 and state = 'joined'
union all
select since, until, null, null from stays where room = $1 and "user" = $2
order by since

-- name: user
-- Who a user is.
select id, name, username from users where id = $1

-- name: holds_events
-- Whether anything was ever folded.
select exists (select from changes) or exists (select from positions where next_offset > 0)

-- name: rooms_called
-- Rooms of an id ($1) or of one of two names ($1, $2), whatever its case and however it is composed; the oldest first.
select id, name
from rooms
where id = $1 or (name <> '' and lower(normalize(name)) in (lower(normalize($1)), lower(normalize($2))))
order by created, id
limit 1000
