-- Queries of answers as of a past moment. A cut is the next offset of a stream: all of its events below it count.

-- name: places
-- The shards of streams.
select k.stream, f.topic, f.partition
from unnest($1::text[]) as k(stream)
cross join lateral (select topic, partition from changes where stream = k.stream order by "offset" limit 1) f

-- name: cuts
-- Up to where streams stood at a moment: below their first event that happened after it; null: all of it counts.
select k.stream, (
    select "offset" from changes c where c.stream = k.stream and c.time > $2::timestamptz order by "offset" limit 1
) as cut
from unnest($1::text[]) as k(stream)

-- name: began
-- When the first event of a stream happened.
select time from changes where stream = $1 order by "offset" limit 1

-- name: appended_from
-- How many events of a stream stand below a cut, and how many of these from an offset on.
select count(*) as all, count(*) filter (where "offset" >= $2) as later from changes where stream = $1 and "offset" < $3

-- name: named
-- Events of some types of streams below their cuts; of relationships, visuals and teams only those that are named.
select c.topic, c.partition, c."offset", c.id, c.type, c.stream, c.actor, c.command, c.app, c.time, c.data::text as data
from unnest($1::text[], $2::bigint[]) as k(stream, cut)
join changes c on c.stream = k.stream and c."offset" < k.cut and c.type = any($3::text[])
where $4::text[] is null or coalesce(c.data->>'other', c.data->>'visual', c.data->>'team') = any($4)
order by c.stream, c."offset"

-- name: last_below
-- The last event of some types below an offset of each of some streams.
select k.stream, c."offset"
from unnest($1::text[], $2::bigint[]) as k(stream, cut)
cross join lateral (
    select "offset" from changes
    where stream = k.stream and "offset" < k.cut and type = any($3::text[])
    order by "offset" desc limit 1
) c

-- name: structure
-- What made rooms and their membership what they are below their cuts: all of it, or what concerns some users.
select c.*
from unnest($1::text[], $2::bigint[]) as k(stream, cut)
cross join lateral (
    select topic, partition, "offset", id, type, stream, actor, command, app, time, data::text as data
    from changes
    where stream = k.stream and "offset" < k.cut
      and topic = 'rooms' and type not in ({types besides_structure})
      and ($3::text[] is null or type in ({types of_room_only}) or actor = any($3) or data->>'user' = any($3))
) c

-- name: invited
-- Invitations of some users into a room, and their ends but for acceptance, below a cut.
select topic, partition, "offset", id, type, stream, actor, command, app, time, data::text as data
from changes
where stream = $1 and "offset" < $2 and type in ({types inviting})
  and data->>'user' = any($3::text[])

-- name: structure_sizes
-- How many events that is of each, up to a limit.
select k.stream, (
    select count(*) from (
        select from changes
        where stream = k.stream and "offset" < k.cut
          and topic = 'rooms' and type not in ({types besides_structure})
        limit $3
    ) c) as size
from unnest($1::text[], $2::bigint[]) as k(stream, cut)

-- name: membership
-- When some users came to rooms and left them below a cut.
select c.*
from unnest($1::text[], $2::bigint[], $3::text[]) as k(stream, cut, "user")
cross join lateral (
    select topic, partition, "offset", id, type, stream, actor, command, app, time, data::text as data
    from changes
    where stream = k.stream and "offset" < k.cut and type in ('member.joined', 'member.left')
      and data->>'user' = k."user"
) c

-- name: said_before
-- The last events that made a message of rooms below some offsets.
select distinct on (p.stream, p."offset") p.*
from unnest($1::text[], $2::bigint[]) as k(stream, cut)
cross join lateral (
    select topic, partition, "offset", id, type, stream, actor, command, app, time, data::text as data
    from changes
    where stream = k.stream and "offset" < k.cut and type in ({types making_message})
      and data->>'message' is not null
    order by "offset" desc limit 1
) p

-- name: read_before
-- The last event by which each user had read a room up to somewhere, below a cut.
select p.*
from unnest($1::text[], $2::bigint[], $3::text[]) as k(stream, cut, "user")
cross join lateral (
    select topic, partition, "offset", id, type, stream, actor, command, app, time, data::text as data
    from changes
    where hashtextextended(stream || E'\n' || actor, 0) = hashtextextended(k.stream || E'\n' || k."user", 0)
      and stream || E'\n' || actor = k.stream || E'\n' || k."user"
      and "offset" < k.cut and type in ({types renewing_member})
    order by "offset" desc limit 1
) p

-- name: posted
-- The events that made messages, by room, author and token: a client's token is the key of its command.
select topic, partition, "offset", id, type, stream, actor, command, app, time, data::text as data
from unnest($1::text[], $2::text[], $3::text[]) as k(room, author, token)
join changes c on hashtextextended(c.stream || E'\n' || c.actor || E'\n' || c.command, 0)
        = hashtextextended(k.room || E'\n' || k.author || E'\n' || 'PostMessage:' || k.token, 0)
    and c.stream || E'\n' || c.actor || E'\n' || c.command
        = k.room || E'\n' || k.author || E'\n' || 'PostMessage:' || k.token
    and c.type = 'message.posted'

-- name: posted_otherwise
-- The same by the messages' ids, for messages whose command had another key.
select topic, partition, "offset", id, type, stream, actor, command, app, time, data::text as data
from (select distinct room, author from unnest($1::text[], $2::text[]) as k(room, author)) k
join changes c on hashtextextended(c.stream || E'\n' || c.actor, 0) = hashtextextended(k.room || E'\n' || k.author, 0)
    and c.stream || E'\n' || c.actor = k.room || E'\n' || k.author
where type = 'message.posted' and data->>'message' = any($3::text[])

-- name: became
-- What became of messages after they were said, below the cuts of their rooms.
select c.*
from unnest($1::text[], $2::bigint[], $3::text[]) as k(stream, cut, message)
cross join lateral (
    select topic, partition, "offset", id, type, stream, actor, command, app, time, data::text as data
    from changes
    where data->>'message' = k.message and stream = k.stream and "offset" < k.cut
      and topic = 'rooms' and type not in ({types besides_became})
) c

-- name: was_member
-- In which of some rooms a user was at their cuts.
select k.room
from unnest($2::text[], $3::bigint[]) as k(room, cut)
where exists (
        select from members m where m.room = k.room and m."user" = $1 and m.state = 'joined' and m.since < k.cut)
    or exists (
        select from stays s where s.room = k.room and s."user" = $1 and s.since < k.cut and s.until >= k.cut)

-- name: members
-- Who was in a room at a cut, in the order they came; of a user who came back the stay that held then.
select "user", since from members where room = $1 and state = 'joined' and since < $2 and (since, "user") > ($3, $4)
union all
select "user", since from stays
where room = $1 and since < $2 and until >= $2 and (since, "user") > ($3, $4)
order by since, "user"
limit $5

-- name: rooms_of
-- Rooms that a user is in now, by id, above one of them, and whether each was deleted since; with the other of each
-- direct one, who may only be invited.
select r.id, r.state = 'deleted' as deleted, case when r.type = 'direct' then coalesce(
    (select o."user" from members o where o.room = r.id and o."user" <> $1 limit 1),
    (select i."user" from invitations i where i.room = r.id and i."user" <> $1 limit 1)) end as peer
from (
    select room from members where "user" = $1 and state = 'joined' and room > $2 order by room limit $3
) m
join rooms r on r.id = m.room
order by r.id

-- name: room_of
-- One of them, unless it was deleted since.
select r.id, case when r.type = 'direct' then coalesce(
    (select o."user" from members o where o.room = r.id and o."user" <> m."user" limit 1),
    (select i."user" from invitations i where i.room = r.id and i."user" <> m."user" limit 1)) end as peer
from members m
join rooms r on r.id = m.room
where m."user" = $1 and m.state = 'joined' and m.room = $2 and r.state <> 'deleted'

-- name: outgoing
-- Whom a user has ever befriended or blocked, by id, above one of them.
select "user", other from relationships where "user" = $1 and other > $2 order by other limit $3

-- name: incoming
-- Who has ever befriended or blocked a user, by id, above one of them, without those whom the user blocks now.
select r."user", r.other from relationships r
where r.other = $1 and r."user" > $2 and not exists (
    select from relationships b where b."user" = $1 and b.other = r."user" and b.type = 'block')
order by r."user" limit $3

-- name: visuals_of
-- A user's visuals, also later ones, by id, above one of them.
select id from visuals where owner = $1 and id > $2 order by id limit $3

-- name: revisions
-- What a message had held before it was edited, as of a cut, the oldest first; of many the latest.
select * from (
    select * from revisions where message = $1 and version < $2 order by number desc limit $3
) latest
order by number

-- name: touched_by_time
-- Streams with events after one time, up to another.
select distinct stream from changes where time > $1::timestamptz and time <= $2::timestamptz and topic <> 'handles'
    and type not in ({types naming_nothing})
order by stream limit $3

-- name: touched_by_position
-- Streams with events in ranges of offsets.
select distinct c.stream
from unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[]) as s(topic, partition, low, high)
join changes c on c.topic = s.topic and c.partition = s.partition and c."offset" >= s.low and c."offset" < s.high
where c.topic <> 'handles' and c.type not in ({types naming_nothing})
order by c.stream limit $5

-- name: done_by
-- Events that some people caused within a time, in all streams or in one.
select topic, partition, "offset", id, type, stream, actor, command, app, time, data::text as data
from changes
where actor = any($1::text[]) and time >= $2::timestamptz and time < $3::timestamptz
  and topic in ('rooms', 'users', 'apps') and ($4::text is null or stream = $4)
order by stream, "offset"

-- name: done_since
-- Events of a stream from a cut on.
select topic, partition, "offset", id, type, stream, actor, command, app, time, data::text as data
from changes
where stream = $1 and "offset" >= $2
order by "offset"

-- name: person
-- Users by id or username, which one in each application may have.
select id, app from users where id = $1 or lower(username) = lower($1) order by id <> $1, app, id limit 6

-- name: erased
-- Those of some users who are erased now.
select id from users where id = any($1::text[]) and erased is not null
