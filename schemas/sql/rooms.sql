-- name: of_member
-- The rooms a user is in, the latest activity first, each with the own membership.
select r.*, m.role as m_role, m.state as m_state, m.since as m_since, m.joined as m_joined, m.read as m_read,
       m.version as m_version,
       case when r.type = 'direct' then (
           select o."user" from members o where o.room = r.id and o."user" <> m."user" limit 1) end as peer
from members m
join rooms r on r.id = m.room
where m."user" = $1 and m.state = 'joined' and (r.updated, r.id) < ($2::timestamptz, $3::text)
order by r.updated desc, r.id desc
limit $4

-- name: of_member_one
-- One room as its member sees it.
select r.*, m.role as m_role, m.state as m_state, m.since as m_since, m.joined as m_joined, m.read as m_read,
       m.version as m_version,
       case when r.type = 'direct' then (
           select o."user" from members o where o.room = r.id and o."user" <> m."user" limit 1) end as peer
from members m
join rooms r on r.id = m.room
where m."user" = $1 and m.state = 'joined' and m.room = $2

-- name: search
-- Groups whose name holds the text: those the user is in, and public ones whose owner and the user do not block
-- each other. Prefixes first.
select * from (
    select r.*, case when r.folded like $3 then 0 else 1 end as rank, m.role as m_role
    from rooms r
    left join members m on m.room = r.id and m."user" = $4 and m.state = 'joined'
    where r.grams @> $1::text[] and r.folded like $2 and r.type = 'group'
      and (m.room is not null or (r.visibility = 'public' and not exists (
        select from relationships b
        where b.type = 'block'
          and ((b."user" = r.owner and b.other = $4) or (b."user" = $4 and b.other = r.owner)))))
) found
where (rank, folded, id) > ($5::int, $6::text, $7::text)
order by rank, folded, id
limit $8

-- name: one
-- A room's type and owner.
select id, type, visibility, owner from rooms where id = $1

-- name: is_member
-- Whether a user is in a room.
select exists (select from members where room = $1 and "user" = $2 and state = 'joined')

-- name: members
-- Who is in a room, in the order they came, with their profiles.
select m.*, u.username as u_username, u.name as u_name, u.role as u_role, u.visual as u_visual, u.data as u_data,
       u.created as u_created, u.updated as u_updated, u.version as u_version
from members m
join users u on u.id = m."user"
where m.room = $1 and m.state = 'joined' and (m.since, m."user") > ($2::bigint, $3::text)
order by m.since, m."user"
limit $4

-- name: successor
-- The oldest other member.
select "user" from members where room = $1 and "user" <> $2 and state = 'joined' order by since, "user" limit 1

-- name: direct_blocked
-- Whether a user is one of a direct room's two people, and one of the two blocks the other.
select exists (
    select from rooms r
    join members mine on mine.room = r.id and mine."user" = $2
    join members other on other.room = r.id and other."user" <> $2
    join relationships b on b.type = 'block'
      and ((b."user" = other."user" and b.other = $2) or (b."user" = $2 and b.other = other."user"))
    where r.id = $1 and r.type = 'direct')

-- name: changes
-- A room's history, the latest first.
select topic, partition, "offset", id, type, stream, time, actor, data
from changes
where stream = $1 and topic = 'rooms' and "offset" < $2
order by "offset" desc
limit $3
