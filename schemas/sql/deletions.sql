-- Queries about what has been deleted, for those who are given older deltas.

-- name: deleted
-- Those of some messages and rooms that are deleted, messages with the time of it. $3 and $4: the least and the greatest
-- of the messages' ids, which tell in which months they are.
select 'message' as kind, m.id, m.deleted
from messages m join unnest($1::text[]) as k(id) using (id)
where m.id between $3 and $4 and m.deleted is not null
union all
select 'room', id, null from rooms where id = any($2::text[]) and state = 'deleted'
