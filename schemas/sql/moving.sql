-- name: users
-- Users in a room, asked into one, or with a friend, of another team than theirs; of some ($1), or (null) of all. Without
-- teams nothing is looked at.
select distinct found."user" from (
    select m."user" from members m
    join users u on u.id = m."user"
    join rooms r on r.id = m.room
    where m.state = 'joined' and r.team is distinct from u.team
      and ($1::text[] is null or m."user" = any($1::text[]))
    union all
    select i."user" from invitations i
    join users u on u.id = i."user"
    join rooms r on r.id = i.room
    where i.state = 'pending' and r.team is distinct from u.team
      and ($1::text[] is null or i."user" = any($1::text[]))
    union all
    select f."user" from relationships f
    join users u on u.id = f."user"
    join users o on o.id = f.other
    where f.type = 'friend' and u.team is distinct from o.team
      and ($1::text[] is null or f."user" = any($1::text[]) or f.other = any($1::text[]))
) found
where exists (select from teams)

-- name: rooms
-- Rooms of another team that a user is in.
select m.room from members m
join users u on u.id = m."user"
join rooms r on r.id = m.room
where m."user" = $1 and m.state = 'joined' and r.team is distinct from u.team

-- name: invitations
-- Who has asked a user into rooms of another team, and waits for the answer.
select i.room, i.by from invitations i
join users u on u.id = i."user"
join rooms r on r.id = i.room
where i."user" = $1 and i.state = 'pending' and r.team is distinct from u.team

-- name: friends
-- Friendships between a user and people of another team, whoever holds whom for a friend.
select f."user", f.other from relationships f
join users u on u.id = $1
join users o on o.id = case when f."user" = $1 then f.other else f."user" end
where (f."user" = $1 or f.other = $1) and f.type = 'friend' and u.team is distinct from o.team
