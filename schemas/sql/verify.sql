-- Verification: what the log itself must keep, asked of its fold. {messages} is the messages of all months.

-- name: gaps
-- Rooms whose messages are not numbered 1, 2, 3 ..., without those of which an operator has passed over an event.
select r.id as room, r.seq, count(m.seq) as messages, count(distinct m.seq) as numbers, min(m.seq) as first,
       max(m.seq) as last
from rooms r left join {messages} m on m.room = r.id
where not exists (select from skipped s where s.stream = r.id)
group by r.id, r.seq
having count(m.seq) <> count(distinct m.seq) or count(m.seq) <> r.seq or coalesce(max(m.seq), 0) <> r.seq
order by r.id

-- name: dangling
-- What names something that does not exist: where it stands, its key, what it names.
select 'members.user' as place, room || '/' || "user" as key, "user" as names from members t
where not exists (select from users where id = t."user")
union all
select 'members.room', room || '/' || "user", room from members t where not exists (select from rooms where id = t.room)
union all
select 'invitations.user', room || '/' || "user", "user" from invitations t
where not exists (select from users where id = t."user")
union all
select 'invitations.room', room || '/' || "user", room from invitations t
where not exists (select from rooms where id = t.room)
union all
select 'messages.room', id, room from {messages} t where not exists (select from rooms where id = t.room)
union all
select 'messages.author', id, author from {messages} t
where author <> 'system' and not exists (select from users where id = t.author)
union all
select 'rooms.last', id, last from rooms t
where last is not null and not exists (select from {messages} m where m.id = t.last)
union all
select 'rooms.owner', id, owner from rooms t
where owner is not null and not exists (select from users where id = t.owner)
union all
select 'revisions.message', message || '/' || number, message from revisions t
where not exists (select from {messages} m where m.id = t.message)
union all
select 'users.visual', id, visual from users t
where visual is not null and not exists (select from visuals where id = t.visual)
union all
select 'visuals.owner', id, owner from visuals t where not exists (select from users where id = t.owner)
union all
select 'sessions.user', "user" || '/' || id, "user" from sessions t
where not exists (select from users where id = t."user")
union all
select 'relationships.user', "user" || '/' || other, "user" from relationships t
where not exists (select from users where id = t."user")
union all
select 'relationships.other', "user" || '/' || other, other from relationships t
where not exists (select from users where id = t.other)
union all
select 'handles.user', id, "user" from handles t
where state = 'confirmed' and not exists (select from users where id = t."user")
order by 1, 2

-- name: repeated
-- Commands that were carried out more than once: events of one command have ids that differ in their last part only.
select stream, actor, command, count(distinct split_part(id, '.', 1)) as times, min("offset") as first
from changes
group by stream, actor, command
having count(*) > 1 and count(distinct split_part(id, '.', 1)) > 1
order by stream, actor, command

-- name: refused
-- Streams with an event that cannot be applied.
select stream, topic, partition, min("offset") as "offset", min(error) as error from parked
where consumer = $1 group by stream, topic, partition order by stream

-- name: event
-- A stream's event at an offset.
select topic, partition, "offset", type from {changes} where topic = $1 and stream = $2 and "offset" = $3

-- name: last_event
-- The latest event of a stream.
select topic, partition, "offset", type from {changes} where stream = $1 order by "offset" desc limit 1

-- name: room_of
-- The room of a message.
select room from {messages} m where id = $1
