-- name: stays
-- A user's times in rooms, by offsets of the room's shard: after since, up to and including until.
select room, since, null::bigint as until from members where "user" = $1 and state = 'joined'
union all
select room, since, until from stays where "user" = $1
order by room, since
