-- name: closed
-- Whether a session was closed.
select closed is not null from sessions where "user" = $1 and id = $2

-- name: open
-- A user's sessions that have not ended, latest first. $2.. is the place after which to go on.
select * from sessions
where "user" = $1 and closed is null and expires > now() and (opened, id) < ($2::timestamptz, $3::text)
order by opened desc, id desc
limit $4

-- name: open_ids
-- Ids of a user's sessions that have not ended; at most so many.
select id from sessions where "user" = $1 and closed is null and expires > now() limit $2
