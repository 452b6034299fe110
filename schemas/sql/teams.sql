-- name: page
-- Teams of an application by id, above one of them.
select {columns team} from teams where app = $1 and id > $2 and state = 'active' order by id limit $3

-- name: any_page
-- The same, also of those that were removed.
select id from teams where app = $1 and id > $2 order by id limit $3

-- name: by_id
-- One team.
select {columns team} from teams where id = $1 and state = 'active'

-- name: among
-- Those of some ids that are teams of an application.
select id from teams where id = any($1::text[]) and app = $2 and state = 'active'

-- name: inside
-- How many users and rooms a team has, without those that are erased, deleted, or direct and empty.
select (select count(*) from users where team = $1 and state = 'registered' and erased is null) as users,
       (select count(*) from rooms where team = $1 and state <> 'deleted' and not (type = 'direct' and members = 0))
       as rooms

-- name: whose
-- The application of a team, also of one that was removed.
select app from teams where id = $1
