-- Queries about invitations, and about who may add whom to a room.

-- name: guests
-- Of some registered users ($1), with a view to a room ($3) that need not exist: their team, who may add each, as chosen; whether the
-- caller ($2) is a contact of theirs; whether they are in the room already, or invited; how many invitations into
-- other rooms wait for their answer, in all and of the caller's; whether they have declined one of the caller's, and
-- whether they are deactivated.
select u.id, u.team, u.role, u.added_by, u.deactivated is not null as deactivated,
       exists (
           select from relationships f where f."user" = u.id and f.other = $2 and f.type = 'friend')
       or exists (
           select from members theirs
           join members mine on mine.room = theirs.room and mine."user" = $2 and mine.state = 'joined'
           join rooms r on r.id = theirs.room and r.state <> 'deleted'
           where theirs."user" = u.id and theirs.state = 'joined' and theirs.willing) as contact,
       exists (select from members m where m.room = $3 and m."user" = u.id and m.state = 'joined') as inside,
       exists (
           select from invitations i where i.room = $3 and i."user" = u.id and i.state = 'pending') as waiting,
       i.pending, i.asked, i.declined
from users u
cross join lateral (
    select count(*) filter (where state = 'pending') as pending,
           count(*) filter (where state = 'pending' and by = $2) as asked,
           coalesce(bool_or(state = 'declined' and by = $2), false) as declined
    from invitations
    where "user" = u.id and (state = 'declined' or (state = 'pending' and room <> $3))
) i
where u.id = any($1::text[]) and u.app = $4 and u.state = 'registered'

-- name: crowd
-- How many answers are waited for in a room, to somebody who is in it.
select count(*) as pending from invitations
where room = $1 and state = 'pending'
  and exists (select from members where room = $1 and "user" = $2 and state = 'joined')

-- name: of_room
-- Those whose answer is waited for in a room.
select "user" from invitations where room = $1 and state = 'pending'

-- name: of_user
-- A user's invitations that wait for an answer, the latest first.
select i.* from invitations i
where i."user" = $1 and i.state = 'pending' and (i.created, i.room) < ($2::timestamptz, $3::text)
order by i.created desc, i.room desc
limit $4

-- name: between
-- Rooms into which one of two has invited the other, who has not answered, up to a time.
select room, by from invitations
where "user" = any(array[$1, $2]) and by = any(array[$1, $2]) and state = 'pending'
  and ($3::timestamptz is null or created <= $3)
