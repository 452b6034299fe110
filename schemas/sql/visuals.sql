-- name: by_id
-- A visual character.
select * from visuals where id = $1 and app = $2

-- name: by_ids
-- Several visual characters.
select * from visuals where id = any($1::text[]) and app = $2

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
