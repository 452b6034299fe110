-- name: position
-- Where the read models stand in one shard, and the term that holds there.
select next_offset, term from positions where consumer = $1 and topic = $2 and partition = $3

-- name: receipts
-- The events of earlier commands with the same stream, actor and command key.
select c.topic, c.partition, c."offset", c.id, c.type, c.stream, c.time, c.actor, c.command, c.app, c.data
from changes c
join unnest($1::text[], $2::text[], $3::text[]) as k(stream, actor, command) using (stream, actor, command)
order by c.topic, c.partition, c."offset"
