-- name: stays
-- Users' times in rooms, by offsets of the room's shard: after since, up to and including until. Of rooms that a user is
-- in and that were not deleted, how many are in them; and whether the user is there by their own will.
select m."user", m.room, m.since, null::bigint as until, case when r.state <> 'deleted' then r.members end as members,
       m.willing
from members m
join rooms r on r.id = m.room
where m."user" = any($1::text[]) and m.state = 'joined'
union all
select "user", room, since, until, null, null from stays where "user" = any($1::text[])
order by room, since

-- name: blocks
-- Blocks by users and against them.
select "user", other, true as own from relationships where type = 'block' and "user" = any($1::text[])
union all
select other as "user", "user" as other, false from relationships where type = 'block' and other = any($1::text[])
