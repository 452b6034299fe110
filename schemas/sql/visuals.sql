-- name: by_id
-- A visual character.
select * from visuals where id = $1

-- name: of_owner
-- A user's visual characters, in the order they were made.
select * from visuals where owner = $1 and id > $2 order by id limit $3

-- name: of_author
-- The visual that a message's author has linked, and the message's own facts.
select m.author, v.emotion_data
from messages m
left join users u on u.id = m.author
left join visuals v on v.id = u.visual
where m.id = $1 and m.room = $2
