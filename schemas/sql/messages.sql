-- name: entered
-- Whether a user is in a room that was not deleted, and then the months of its messages, as below.
select i.inside, s.month, s.first, s.last, s.since, s.until, a.month is not null as archived
from (select exists (
    select from members m join rooms r on r.id = m.room
    where m.room = $1 and m."user" = $2 and m.state = 'joined' and r.state <> 'deleted') as inside) i
left join spans s on s.room = $1 and i.inside
left join archived_months a on a.month = s.month
order by s.last desc

-- name: spans
-- The months of a room's messages, the latest first; archived ones are not read.
select s.month, s.first, s.last, s.since, s.until, a.month is not null as archived
from spans s
left join archived_months a on a.month = s.month
where s.room = $1
order by s.last desc

-- name: below
-- The last messages within some numbers and ids, by author, type and time where these are given.
select {columns message}
from messages
where room = $1 and seq between $2 and $3 and id >= $4 and id < $5
  and ($6::text is null or author = $6) and ($7::text is null or type = $7)
  and ($8::timestamptz is null or created >= $8) and ($9::timestamptz is null or created < $9)
order by seq desc
limit $10

-- name: above
-- The first of them.
select {columns message}
from messages
where room = $1 and seq between $2 and $3 and id >= $4 and id < $5
  and ($6::text is null or author = $6) and ($7::text is null or type = $7)
  and ($8::timestamptz is null or created >= $8) and ($9::timestamptz is null or created < $9)
order by seq
limit $10

-- name: one
-- One message of a room.
select * from messages where id = $1 and room = $2

-- name: revisions
-- The earlier versions of an edited message, the oldest first; of many the latest.
select * from (
    select * from revisions where message = $1 order by number desc limit $2
) latest
order by number

-- name: rooms
-- The rooms that a user is in, or the one of them that is asked for.
select m.room
from members m
join rooms r on r.id = m.room and r.state <> 'deleted'
where m."user" = $1 and m.state = 'joined' and ($2::text is null or m.room = $2)

-- name: months
-- The months of some rooms' messages within a time, the latest first, each with those rooms; not archived ones. ranked:
-- the rooms of which some stand elsewhere than at their ids, between low and high.
select month, array_agg(room order by room) as rooms, min(low) as low, max(high) as high,
       coalesce(array_agg(room order by room) filter (where low is not null), '{}') as ranked
from spans
where room = any($1) and ($2::timestamptz is null or until >= $2) and ($3::timestamptz is null or since < $3)
  and not exists (select from archived_months a where a.month = spans.month)
group by month
order by month desc

-- name: search
-- Messages of a month with some words that stand at their ids, below a place, the newest first, by author, type and time
-- where these are given.
select {columns message}
from messages
where words @@ $1::tsquery and room = any($2) and id >= $3 and id < $4 and rank is null
  and (id, room, seq) < ($5, $6, $7::bigint)
  and ($8::text is null or author = $8) and ($9::text is null or type = $9)
  and ($10::timestamptz is null or created >= $10) and ($11::timestamptz is null or created < $11)
order by id desc
limit $12

-- name: search_ranked
-- The same of messages that stand elsewhere: at a rank that is not below $13.
select {columns message}
from messages
where words @@ $1::tsquery and room = any($2) and id >= $3 and id < $4 and rank >= $13
  and (rank, room, seq) < ($5, $6, $7::bigint)
  and ($8::text is null or author = $8) and ($9::text is null or type = $9)
  and ($10::timestamptz is null or created >= $10) and ($11::timestamptz is null or created < $11)
order by rank desc, room desc, seq desc
limit $12
