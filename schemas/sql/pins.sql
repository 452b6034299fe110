-- name: of_room
-- The pins of a room, the latest first, each with its message; one of an archived month is not read.
select {columns pin p p_}, {columns message m}
from pins p
left join messages m on m.id = p.message
where p.room = $1 and p.state = 'pinned'
order by p.pinned desc, p.message desc
