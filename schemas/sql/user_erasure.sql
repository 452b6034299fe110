-- Queries of the worker that does what is left to do for erased accounts.

-- name: waiting
-- Some accounts of which something is left to do: those after an id, then the others.
select id from users where erased is not null and (erasure->>'done') is null order by id <= $1, id limit $2

-- name: names
-- What an account was called by, and its passwords' hashes, as its events say it.
select distinct data->>'username' as username, data->>'email' as email, data->>'credential' as credential
from changes
where stream = $1 and type in ('user.registered', 'user.email_changed', 'user.password_changed')

-- name: handles
-- Those of some names that a user holds.
select id, version from handles where id = any($1::text[]) and "user" = $2

-- name: invitations
-- Rooms into which a user is invited.
select room from invitations where "user" = $1 and state = 'pending' order by room

-- name: rooms
-- Rooms in which a user is, above a place.
select room from members where "user" = $1 and state = 'joined' and room > $2 order by room limit $3

-- name: rooms_in_all
-- In how many rooms a user is.
select count(*) from members where "user" = $1 and state = 'joined'

-- name: said_in
-- Rooms of an application above a place, and whether somebody has ever said something in each.
with page as (select id from rooms where app = $1 and id > $2 order by id limit $4)
select page.id, exists (
    select from changes c
    where hashtextextended(c.stream || E'\n' || c.actor, 0) = hashtextextended(page.id || E'\n' || $3, 0)
      and c.stream || E'\n' || c.actor = page.id || E'\n' || $3 and c.type = 'message.posted') as said
from page order by page.id

-- name: messages
-- What somebody has said in a room, above a place in it: messages that are shown, and those that have gone since a time.
select c."offset", m.id, m.deleted is not null as gone
from changes c
join messages m on m.id = c.data->>'message'
where hashtextextended(c.stream || E'\n' || c.actor, 0) = hashtextextended($1 || E'\n' || $2, 0)
  and c.stream || E'\n' || c.actor = $1 || E'\n' || $2 and c.type = 'message.posted' and c."offset" > $3
  and (m.deleted is null or m.deleted >= $4)
order by c."offset" limit $5
