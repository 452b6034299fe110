-- name: positions
-- Up to where this snapshot goes.
select topic, partition, next_offset from positions where consumer = $1

-- name: me
-- The user.
select * from users where id = $1

-- name: relationships
-- What a user is to others, by their ids, above one of them.
select * from relationships where "user" = $1 and type is not null and other > $2 order by other limit $3

-- name: invitations
-- The user's invitations that wait for an answer, by room, above one of them.
select * from invitations where "user" = $1 and state = 'pending' and room > $2 order by room limit $3

-- name: friend_of
-- Who holds the user for a friend, by their ids, above one of them, without those whom the user blocks.
select r.* from relationships r
where r.other = $1 and r.type = 'friend' and r."user" > $2 and not exists (
    select from relationships b where b."user" = $1 and b.other = r."user" and b.type = 'block')
order by r."user" limit $3

-- name: rooms
-- The user's rooms, also deleted ones, by id, above one of them, each with the own membership. met: the other of a direct
-- one who has been in it, and not only asked.
select {columns room r}, {columns member m m_},
       case when r.type = 'direct' then coalesce(
           (select o."user" from members o where o.room = r.id and o."user" <> m."user" limit 1),
           (select i."user" from invitations i where i.room = r.id and i."user" <> m."user" limit 1)) end as peer,
       case when r.type = 'direct' then (
           select o."user" from members o where o.room = r.id and o."user" <> m."user" limit 1) end as met
from (
    select * from members where "user" = $1 and state = 'joined' and room > $2 order by room limit $3
) m
join rooms r on r.id = m.room
order by r.id

-- name: profiles
-- Profiles of some people but the user. How they are shown to the user, api/profiles.py says.
select {columns user u}
from users u
where u.id = any($2::text[]) and u.state = 'registered' and u.id <> $1
