-- name: before
-- The messages of a room below a sequence number, the nearest first.
select * from messages where room = $1 and seq < $2 order by seq desc limit $3

-- name: after
-- The messages of a room above a sequence number, the nearest first.
select * from messages where room = $1 and seq > $2 order by seq limit $3

-- name: one
-- One message of a room.
select * from messages where id = $1 and room = $2
