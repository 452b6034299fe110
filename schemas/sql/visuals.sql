-- name: by_id
-- A visual character of somebody of a team.
select v.* from visuals v join users u on u.id = v.owner
where v.id = $1 and v.app = $2 and u.team is not distinct from $3

-- name: by_ids
-- The same of several.
select v.* from visuals v join users u on u.id = v.owner
where v.id = any($1::text[]) and v.app = $2 and u.team is not distinct from $3

-- name: of_owner
-- A user's visual characters, by id, above one of them.
select * from visuals where owner = $1 and id > $2 order by id limit $3

-- name: of_authors
-- The visuals that the authors of messages have linked. The lowest and highest id tell which months are needed.
select m.id, m.room, v.emotion_data
from unnest($1::text[], $2::text[]) as wanted (id, room)
join messages m on m.id = wanted.id and m.room = wanted.room
left join users u on u.id = m.author
left join visuals v on v.id = u.visual
where m.id between $3 and $4
