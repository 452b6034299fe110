-- name: positions
-- Up to where this snapshot goes.
select topic, partition, next_offset from positions where consumer = $1

-- name: me
-- The user.
select * from users where id = $1

-- name: outgoing
-- All relationships of a user.
select * from relationships where "user" = $1 and type is not null order by other

-- name: incoming
-- Who holds the user for a friend, without those whom the user blocks.
select r.* from relationships r
where r.other = $1 and r.type = 'friend' and not exists (
    select from relationships b where b."user" = $1 and b.other = r."user" and b.type = 'block')
order by r."user"

-- name: rooms
-- The user's rooms, also deleted ones, the latest activity first, each with the own membership.
select r.id, r.type, r.name, r.description, r.settings, r.state, r.data, r.seq, r.last, r.members, r.owner, r.created,
       r.updated, r.version,
       m.role as m_role, m.state as m_state, m.since as m_since, m.joined as m_joined, m.read as m_read,
       m.read_at as m_read_at, m.notifications as m_notifications, m.version as m_version,
       case when r.type = 'direct' then (
           select o."user" from members o where o.room = r.id and o."user" <> m."user" limit 1) end as peer
from members m
join rooms r on r.id = m.room
where m."user" = $1 and m.state = 'joined'
order by r.updated desc, r.id desc
limit $2

-- name: users
-- Profiles of friends in either direction, without pairs of whom one blocks the other, and of the other people in
-- direct rooms, which show under their names.
select u.id, u.username, u.name, u.role, u.state, u.credential, u.email, u.email_settled, u.seen, u.visual, u.data,
       u.created, u.updated, u.version
from users u
where u.state = 'registered' and u.id <> $1 and (
    (
        (u.id in (select other from relationships where "user" = $1 and type = 'friend')
         or u.id in (select "user" from relationships where other = $1 and type = 'friend'))
        and not exists (
            select from relationships b
            where b.type = 'block' and ((b."user" = $1 and b.other = u.id) or (b."user" = u.id and b.other = $1))))
    or u.id in (
        select theirs."user" from members mine
        join rooms r on r.id = mine.room and r.type = 'direct'
        join members theirs on theirs.room = mine.room
        where mine."user" = $1 and mine.state = 'joined'))
order by u.id
