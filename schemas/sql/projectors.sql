-- Queries of the projectors: read models, parking, rosters, feed.

-- name: claim_locks
-- Session locks that were free, without waiting.
select key, pg_try_advisory_lock(key) as taken from unnest($1::bigint[]) as k(key)

-- name: read_positions
-- Where a consumer goes on.
select topic, partition, next_offset, term from positions where consumer = $1

-- name: init_positions
-- A shard that was never read begins at its first record.
insert into positions (consumer, topic, partition, next_offset)
select $1, topic, partition, 0 from unnest($2::text[], $3::integer[]) as s(topic, partition)
on conflict do nothing

-- name: lock_positions
-- Keeps turns and redrives of these shards apart, in one order for all so that they cannot deadlock.
select topic, partition, next_offset, term from positions
where consumer = $1 and (topic, partition) in (select * from unnest($2::text[], $3::integer[]))
order by topic, partition
for update

-- name: move_positions
-- Compare-and-set: moves only shards that stand where the batch began.
update positions p set next_offset = s.next_offset, term = s.term
from unnest($2::text[], $3::integer[], $4::bigint[], $5::bigint[], $6::bigint[])
    as s(topic, partition, old_offset, next_offset, term)
where p.consumer = $1 and p.topic = s.topic and p.partition = s.partition and p.next_offset = s.old_offset
returning p.topic, p.partition

-- name: insert_changes
-- Events as they stand in the log.
insert into changes (topic, partition, "offset", id, type, stream, actor, command, app, time, digest, data)
select topic, partition, "offset", id, type, stream, actor, command, app, time::timestamptz, digest, data::json
from unnest($1::text[], $2::integer[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::text[], $11::text[], $12::text[])
    as c(topic, partition, "offset", id, type, stream, actor, command, app, time, digest, data)
on conflict do nothing

-- name: notify
-- Tells listeners, once this transaction commits.
select pg_notify('k' || left(encode(sha256(convert_to(notices || $1, 'UTF8')), 'hex'), 40), payload)
from installation, unnest($2::text[]) as n(payload)

-- name: announce
-- Tells listeners of some channels in this order, once this transaction commits.
select pg_notify('k' || left(encode(sha256(convert_to(notices || channel, 'UTF8')), 'hex'), 40), payload)
from installation, unnest($1::text[], $2::text[]) with ordinality as n(channel, payload, place)
order by place

-- name: park
-- An event that could not be applied, or one behind it.
insert into parked (consumer, topic, partition, "offset", stream, type, value, error)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (consumer, topic, partition, "offset") do update set error = excluded.error

-- name: parked_streams
-- Streams that wait for a fix.
select distinct stream from parked where consumer = $1

-- name: parked_shards
-- The shards in which a parked stream has events.
select distinct topic, partition from parked where consumer = $1 and stream = $2

-- name: parked_events
-- A stream's parked events, in order.
select topic, partition, "offset", stream, value from parked
where consumer = $1 and stream = $2
order by topic, partition, "offset"

-- name: unpark
-- An event that has been applied after all.
delete from parked where consumer = $1 and topic = $2 and partition = $3 and "offset" = $4

-- name: parked_at
-- What is parked at a position.
select consumer, topic, partition, "offset", stream, type, value, error, parked_at from parked
where topic = $1 and partition = $2 and "offset" = $3
order by consumer

-- name: skip
-- Notes that an event is passed over for good.
insert into skipped (consumer, topic, partition, "offset", stream, type, error, reason, operator)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict do nothing

-- name: skipped_events
-- What a consumer has to pass over, by decision of an operator.
select topic, partition, "offset" from skipped where consumer = $1

-- name: rosters
-- Members of each room just before the offset: those who are there and joined before it, and those who have left since.
select k.room, m."user"
from unnest($1::text[], $2::bigint[]) as k(room, upto)
cross join lateral (
    select "user" from members where room = k.room and state = 'joined' and since < k.upto
    union
    select "user" from stays where room = k.room and since < k.upto and until >= k.upto
) m

-- name: parked_members
-- Joins and leaves that the members' table does not have yet.
select p.topic, p.partition, p."offset", p.stream, p.value
from unnest($2::text[], $3::bigint[]) as k(room, upto)
join parked p on p.consumer = $1 and p.stream = k.room and p."offset" < k.upto
where p.type in ('member.joined', 'member.left')
order by p."offset"

-- name: contacts
-- The contacts of users as of events of their streams, each event with its offset ($2) and time ($3): friends in either
-- direction and those who share a room of at most $4 members, without pairs of whom one blocks the other. The user's own
-- stream counts below the event, others' relationships as of their last event up to its time, and a room up to its last
-- event that is not after that time.
select k.place, c.contact
from unnest($1::text[], $2::bigint[], $3::timestamptz[]) with ordinality as k("user", "offset", time, place)
cross join lateral (
    with pairs as (
        select r.other, case when r.version < k."offset" then r.type else (
            select e.data->>'type' from changes e
            where e.stream = k."user" and e."offset" < k."offset" and e.type = 'relationship.set'
              and e.data->>'other' = r.other
            order by e."offset" desc limit 1) end as type
        from relationships r where r."user" = k."user"
        union all
        select r."user", case when r.updated <= k.time then r.type else (
            select e.data->>'type' from changes e
            where e.stream = r."user" and e.time <= k.time and e.type = 'relationship.set'
              and e.data->>'other' = k."user"
            order by e."offset" desc limit 1) end
        from relationships r where r.other = k."user"
    ), cuts as (
        select near.room, coalesce((
            select e."offset" + 1 from changes e where e.stream = near.room and e.time <= k.time
            order by e."offset" desc limit 1), 0) as cut
        from (
            select room from members where "user" = k."user" and state = 'joined'
            union
            select room from stays where "user" = k."user"
        ) near
    ), gone as (
        -- Who was there and has left since.
        select cuts.room, s."user"
        from cuts
        join changes e on e.stream = cuts.room and e."offset" >= cuts.cut and e.type = 'member.left'
        join stays s on s.room = cuts.room and s."user" = e.data->>'user' and s.until = e."offset" and s.since < cuts.cut
    ), shared as (
        select cuts.room, cuts.cut
        from cuts
        join rooms r on r.id = cuts.room
        where (
            exists (
                select from members m
                where m.room = cuts.room and m."user" = k."user" and m.state = 'joined' and m.since < cuts.cut)
            or exists (select from gone where gone.room = cuts.room and gone."user" = k."user")
            -- A direct room shows under the name of the other, also after they have left it.
            or (r.type = 'direct' and exists (
                select from stays s where s.room = cuts.room and s."user" = k."user" and s.since < cuts.cut)))
          and r.members
              - (select count(*) from members m where m.room = cuts.room and m.state = 'joined' and m.since >= cuts.cut)
              + (select count(*) from gone where gone.room = cuts.room) <= $4
    )
    select near.contact
    from (
        select other as contact from pairs where type = 'friend'
        union
        select m."user" from shared join members m on m.room = shared.room and m.state = 'joined' and m.since < shared.cut
        union
        select gone."user" from shared join gone on gone.room = shared.room
    ) near
    where near.contact <> k."user"
      and not exists (select from pairs where pairs.other = near.contact and pairs.type = 'block')
) c

-- name: blocks
-- Blocks by users, and against them.
select "user", other, true as own from relationships where type = 'block' and "user" = any($1::text[])
union all
select other as "user", "user" as other, false from relationships where type = 'block' and other = any($1::text[])

-- name: read_checkpoints
-- Up to where each feed partition is known to be complete.
select feed_partition, feed_offset, feed_term, sources from feed_checkpoints

-- name: save_checkpoint
-- Never goes back, should an old owner come late.
insert into feed_checkpoints (feed_partition, feed_offset, feed_term, sources)
select * from unnest($1::integer[], $2::bigint[], $3::bigint[], $4::jsonb[])
on conflict (feed_partition) do update
set feed_offset = excluded.feed_offset, feed_term = excluded.feed_term, sources = excluded.sources
where feed_checkpoints.feed_offset <= excluded.feed_offset
