-- name: page
-- Plans by id.
select {columns plan} from plans where id > $1 order by id limit $2

-- name: by_id
-- One plan.
select {columns plan} from plans where id = $1

-- name: of_app
-- The plan of an application, if it has one.
select {columns plan p} from plans p join apps a on a.plan = p.id where a.id = $1

-- name: count_users
-- Users of an application who are not erased.
select count(*) from users where app = $1 and state = 'registered' and erased is null

-- name: count_rooms
-- Rooms of an application that are not deleted; nobody deletes a direct one, which is as good as gone when it is empty.
select count(*) from rooms where app = $1 and state <> 'deleted' and not (type = 'direct' and members = 0)

-- name: count_messages_day
-- Messages of an application from an id on, without what rooms announce by themselves.
select count(*) from messages m join rooms r on r.id = m.room
where m.id >= $2 and r.app = $1 and m.type not in ('system', 'join', 'leave')
