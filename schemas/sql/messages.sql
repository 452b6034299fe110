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
select id, room, seq, author, token, type, content, data, created, updated, edited, deleted, revision, version
from messages
where room = $1 and seq between $2 and $3 and id >= $4 and id < $5
  and ($6::text is null or author = $6) and ($7::text is null or type = $7)
  and ($8::timestamptz is null or created >= $8) and ($9::timestamptz is null or created < $9)
order by seq desc
limit $10

-- name: above
-- The first of them.
select id, room, seq, author, token, type, content, data, created, updated, edited, deleted, revision, version
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
-- What a message held before it was edited, the oldest first; of many the latest.
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
-- The months of some rooms' messages within a time, the latest first, each with those rooms; not archived ones.
select month, array_agg(room order by room) as rooms
from spans
where room = any($1) and ($2::timestamptz is null or until >= $2) and ($3::timestamptz is null or since < $3)
  and not exists (select from archived_months a where a.month = spans.month)
group by month
order by month desc

-- name: search
-- A month's messages with some words, the newest first, by author, type and time where these are given.
select id, room, seq, author, token, type, content, data, created, updated, edited, deleted, revision, version
from messages
where words @@ $1::tsquery and room = any($2) and id >= $3 and id < $4
  and ($5::text is null or author = $5) and ($6::text is null or type = $6)
  and ($7::timestamptz is null or created >= $7) and ($8::timestamptz is null or created < $8)
order by id desc
limit $9
