-- name: outgoing
-- What a user is to others, the latest change in the user's stream first; below a version.
select r.*
from relationships r
where r."user" = $1 and r.type is not null and r.version < $2
order by r.version desc
limit $3

-- name: count
-- How many people a user holds for friends or blocks, without one of them.
select count(*) from relationships where "user" = $1 and type is not null and other <> $2

-- name: incoming
-- Who holds a user for a friend, the latest change first; not those whom the user blocks. They are of many streams, so
-- that time decides.
select r.*
from relationships r
where r.other = $1 and r.type = 'friend' and (r.updated, r."user") < ($2::timestamptz, $3::text)
  and not exists (
    select from relationships b where b."user" = $1 and b.other = r."user" and b.type = 'block')
order by r.updated desc, r."user" desc
limit $4
