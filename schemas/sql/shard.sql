-- name: position
-- Where the read models stand in one shard, and the term that holds there.
select next_offset, term from positions where consumer = $1 and topic = $2 and partition = $3

-- name: receipts
-- The events of earlier commands with the same stream, actor and command key.
select c.topic, c.partition, c."offset", c.id, c.type, c.stream, c.time, c.actor, c.command, c.app, c.digest, c.data
from unnest($1::text[], $2::text[], $3::text[]) as k(stream, actor, command)
join changes c on hashtextextended(c.stream || E'\n' || c.actor || E'\n' || c.command, 0)
        = hashtextextended(k.stream || E'\n' || k.actor || E'\n' || k.command, 0)
    and c.stream || E'\n' || c.actor || E'\n' || c.command = k.stream || E'\n' || k.actor || E'\n' || k.command
order by c.topic, c.partition, c."offset"

-- name: keys
-- Digests of the command keys in a part of a shard, sorted, as one value; see producers.keys.digest.
select string_agg(k, ''::bytea order by k) from (
    select distinct substring(sha256(convert_to(stream || E'\n' || actor || E'\n' || command, 'UTF8')) for 4) as k
    from changes where topic = $1 and partition = $2 and "offset" >= $3 and "offset" < $4) found

-- name: doubtful
-- Streams of a shard with events that are not among the changes.
select distinct stream from parked where consumer = $1 and topic = $2 and partition = $3
