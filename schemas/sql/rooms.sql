-- name: of_member
-- The rooms a user is in, the latest activity first, each with the own membership; those whose custom object contains
-- another, if one is given.
select {columns room r}, {columns member m m_},
       case when r.type = 'direct' then coalesce(
           (select o."user" from members o where o.room = r.id and o."user" <> m."user" limit 1),
           (select i."user" from invitations i where i.room = r.id and i."user" <> m."user" limit 1)) end as peer
from members m
join rooms r on r.id = m.room
where m."user" = $1 and m.state = 'joined' and r.state <> 'deleted'
  and (r.updated, r.id) < ($2::timestamptz, $3::text) and ($5::jsonb is null or r.custom::jsonb @> $5)
order by r.updated desc, r.id desc
limit $4

-- name: of_member_one
-- One room as its member sees it.
select {columns room r}, {columns member m m_},
       case when r.type = 'direct' then coalesce(
           (select o."user" from members o where o.room = r.id and o."user" <> m."user" limit 1),
           (select i."user" from invitations i where i.room = r.id and i."user" <> m."user" limit 1)) end as peer
from members m
join rooms r on r.id = m.room
where m."user" = $1 and m.state = 'joined' and m.room = $2 and r.state <> 'deleted'

-- name: public
-- Public rooms of a team in use, the latest activity first, without those whose owner and the user block each other.
select {columns room r}, m.role as m_role
from rooms r
left join members m on m.room = r.id and m."user" = $1 and m.state = 'joined'
where r.type = 'public' and r.state = 'active' and r.app = $5 and coalesce(r.team, '') = coalesce($6, '')
  and (r.updated, r.id) < ($2::timestamptz, $3::text)
  and r.active <= date_trunc('hour', $2::timestamptz at time zone 'UTC')
  and (m.room is not null or not exists (
    select from relationships b
    where b.type = 'block' and ((b."user" = r.owner and b.other = $1) or (b."user" = $1 and b.other = r.owner))))
order by r.active desc, r.updated desc, r.id desc
limit $4

-- name: public_with
-- The same whose custom object contains another.
select {columns room r}, m.role as m_role
from rooms r
left join members m on m.room = r.id and m."user" = $1 and m.state = 'joined'
where r.type = 'public' and r.state = 'active' and r.app = $6 and r.team is not distinct from $7
  and r.custom::jsonb @> $5::jsonb and (r.updated, r.id) < ($2::timestamptz, $3::text)
  and r.active <= date_trunc('hour', $2::timestamptz at time zone 'UTC')
  and (m.room is not null or not exists (
    select from relationships b
    where b.type = 'block' and ((b."user" = r.owner and b.other = $1) or (b."user" = $1 and b.other = r.owner))))
order by r.active desc, r.updated desc, r.id desc
limit $4

-- name: search
-- Rooms of a team ($12) whose name holds the text: those the user is in, and public ones in use whose owner and the user do not block
-- each other. The name that it is first, then prefixes.
select * from (
    select {columns room r},
           r.folded, case when r.folded = $9 then -1 when r.folded like $3 then 0 else 1 end as tier, m.role as m_role
    from rooms r
    left join members m on m.room = r.id and m."user" = $4 and m.state = 'joined'
    where r.grams @> $1::text[] and r.folded like $2 and r.type <> 'direct' and r.state <> 'deleted'
      and ($10::jsonb is null or r.custom::jsonb @> $10) and r.app = $11
      and r.team is not distinct from $12
      and (m.room is not null or (r.type = 'public' and r.state = 'active' and not exists (
        select from relationships b
        where b.type = 'block'
          and ((b."user" = r.owner and b.other = $4) or (b."user" = $4 and b.other = r.owner)))))
) found
where (tier, folded, id) > ($5::int, $6::text, $7::text)
order by tier, folded, id
limit $8

-- name: is_member
-- Whether a user is in a room that was not deleted.
select exists (
    select from members m join rooms r on r.id = m.room
    where m.room = $1 and m."user" = $2 and m.state = 'joined' and r.state <> 'deleted')

-- name: team
-- The team of a room of an application.
select team from rooms where id = $1 and app = $2

-- name: members
-- Who is in a room, in the order they came, with their profiles; those whose custom object contains another, if one is
-- given.
select {columns member m}, {columns user u u_}
from members m
join users u on u.id = m."user"
where m.room = $1 and m.state = 'joined' and (m.since, m."user") > ($2::bigint, $3::text)
  and ($5::jsonb is null or m.custom::jsonb @> $5)
order by m.since, m."user"
limit $4

-- name: successor
-- Who owns the room when a member leaves it: the oldest other admin, else the oldest other member.
select "user" from members where room = $1 and "user" <> $2 and state = 'joined'
order by role <> 'admin', since, "user" limit 1

-- name: changes
-- A room's history, the latest first; gone: it is about a message that was deleted.
select c.topic, c.partition, c."offset", c.id, c.type, c.stream, c.time, c.actor, c.data,
       exists (select from messages m where m.id = c.data->>'message' and m.deleted is not null) as gone
from changes c
where c.stream = $1 and c.topic = 'rooms' and c."offset" < $2 and c.type not in ({types naming_nothing})
order by c."offset" desc
limit $3
