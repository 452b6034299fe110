-- name: by_id
-- Registered users of the caller's team by id, without those who block the caller, unless the caller is something to them or shares a room
-- with them. How the others are shown, profiles.py says.
select u.* from users u
where u.id = any($1::text[]) and u.app = $3 and u.team is not distinct from $4 and u.state = 'registered'
  and (not exists (
        select from relationships r where r.type = 'block' and r."user" = u.id and r.other = $2)
    or exists (
        select from relationships r where r."user" = $2 and r.other = u.id and r.type is not null)
    or exists (
        select from members mine
        join rooms room on room.id = mine.room and room.state <> 'deleted'
        join members theirs on theirs.room = mine.room and theirs."user" = u.id
        where mine."user" = $2 and mine.state = 'joined' and theirs.state = 'joined'))
order by u.id

-- name: any_by_id
-- Users by id, and registrations that were given up.
select * from users where id = any($1::text[])

-- name: holding
-- Registered users of an application whose object holds another one, by id. The index finds them all before they are put in order.
with found as materialized (
    select id from users where (custom::jsonb) @> $1::text::jsonb and state = 'registered' and app = $4
        and id > $2
)
select u.* from users u
where u.id in (select id from found order by id limit $3)
order by u.id

-- name: search
-- Users in use of the caller's team ($13) whose name or username holds the text: the username that it is first, then names that it is, then prefixes.
-- $6.. is the place after which to go on.
select * from (
    select u.*,
           case when u.folded like $10 then -2 when u.folded like $11 then -1
                when u.folded like $3 or u.folded like $4 then 0 else 1 end as rank
    from users u
    where u.grams @> $1::text[] and u.folded like $2 and u.state = 'registered' and u.app = $12
      and u.team is not distinct from $13
      and u.deactivated is null
      and not exists (
        select from relationships r
        where r.type = 'block' and ((r."user" = u.id and r.other = $5) or (r."user" = $5 and r.other = u.id)))
) found
where (rank, folded, id) > ($6::int, $7::text, $8::text)
order by rank, folded, id
limit $9

-- name: of_team
-- Those of some users who are in a team, or ($2 null) in none.
select id from users where id = any($1::text[]) and team is not distinct from $2

-- name: registered
-- What tokens ask of a user of an application, and their team.
select app, account, tokens_before, team, deactivated, erased from users
where id = $1 and app = $2 and state = 'registered'

-- name: accounts
-- The same of those of some users who are in use.
select id, app, account, tokens_before, team, deactivated, erased from users
where id = any($1::text[]) and state = 'registered' and deactivated is null

-- name: holder
-- Who holds a name, with the password hash to verify.
select u.id, u.app, u.credential, u.role, u.email, c.hash
from handles h
join users u on u.id = h."user" and u.state = 'registered'
left join credentials c on c.id = u.credential
where h.id = $1

-- name: own
-- A user with the password hash to verify.
select u.id, u.username, u.credential, c.hash
from users u left join credentials c on c.id = u.credential
where u.id = $1 and u.state = 'registered'
