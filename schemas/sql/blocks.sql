-- Queries of what a block keeps from whom (api/blocks.py, api/profiles.py).

-- name: people
-- Those of some ids that belong to registered users: what the caller is to each, whether each blocks the caller, and, of
-- those who do, whether the two are in a room together; and their team.
select u.id, u.team, mine.type as own, theirs."user" is not null as apart,
       theirs."user" is not null and exists (
           select from members m join rooms r on r.id = m.room and r.state <> 'deleted'
           join members o on o.room = m.room and o."user" = u.id and o.state = 'joined'
           where m."user" = $2 and m.state = 'joined') as together
from users u
left join relationships mine on mine."user" = $2 and mine.other = u.id
left join relationships theirs on theirs."user" = u.id and theirs.other = $2 and theirs.type = 'block'
where u.id = any($1::text[]) and u.app = $3 and u.state = 'registered'

-- name: room
-- Whether a room is a direct one; and, if the user is in it as one of its two people, whether they block the other, who
-- may only be invited yet, and whether the other blocks them; who the other is, and whether they are in it or asked.
select r.type = 'direct' as direct, coalesce(bool_or(b."user" = $2), false) as own,
       coalesce(bool_or(b.other = $2), false) as apart, min(o."user") as other, coalesce(bool_or(o.there), false) as there
from rooms r
left join members mine on mine.room = r.id and mine."user" = $2 and mine.state = 'joined' and r.type = 'direct'
left join lateral (
    select "user", state = 'joined' as there from members where room = mine.room and "user" <> $2
    union
    select "user", state = 'pending' from invitations where room = mine.room and "user" <> $2
) o on true
left join relationships b on b.type = 'block'
    and ((b."user" = o."user" and b.other = $2) or (b."user" = $2 and b.other = o."user"))
where r.id = $1 and r.app = $3
group by r.type

-- name: kept_out
-- A room into which the user does not come: a public one whose owner and the user do not want to meet, or one into which
-- the user was invited by somebody with whom it is so. Whom a third one has invited comes in.
select r.id
from rooms r
left join invitations i on i.room = r.id and i."user" = $2 and i.state = 'pending'
where r.id = $1 and r.app = $3
  and (i.by is null or exists (
    select from relationships b
    where b.type = 'block' and ((b."user" = i.by and b.other = $2) or (b."user" = $2 and b.other = i.by))))
  and case when r.type = 'public' then exists (
    select from relationships b
    where b.type = 'block' and ((b."user" = r.owner and b.other = $2) or (b."user" = $2 and b.other = r.owner)))
  else i.by is not null end
  and not exists (select from members m where m.room = r.id and m."user" = $2 and m.state = 'joined')

-- name: of_user
-- The blocks of a user and against them: the other, whose it is, and the offset at which it began, in the stream of whose
-- it is.
select other, true as own, version from relationships where type = 'block' and "user" = $1
union all
select "user", false, version from relationships where type = 'block' and other = $1

-- name: together
-- Those of some users who are in a room together with the caller.
select distinct o."user"
from members m
join rooms r on r.id = m.room and r.state <> 'deleted'
join members o on o.room = m.room and o."user" = any($1::text[]) and o.state = 'joined'
where m."user" = $2 and m.state = 'joined'
