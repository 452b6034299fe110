-- name: stays
-- A user's times in rooms, by offsets of the room's shard: after since, up to and including until. Of rooms that the
-- user is in and that were not deleted, how many are in them.
select m.room, m.since, null::bigint as until, case when r.state <> 'deleted' then r.members end as members
from members m
join rooms r on r.id = m.room
where m."user" = $1 and m.state = 'joined'
union all
select room, since, until, null from stays where "user" = $1
order by room, since

-- name: blocks
-- Blocks by a user and against them.
select "user", other from relationships where type = 'block' and ("user" = $1 or other = $1)
