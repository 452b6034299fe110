-- name: closed
-- Whether a session was closed.
select closed is not null from sessions where "user" = $1 and id = $2

-- name: ends
-- When a session that is open ends if it is not used.
select expires from sessions where "user" = $1 and id = $2 and closed is null

-- name: open
-- A user's sessions that have not ended, in the order of their openings in the log, the latest first; below a place.
select * from sessions
where "user" = $1 and closed is null and expires > now() and since < $2
order by since desc
limit $3

-- name: open_ids
-- Ids of a user's sessions that have not ended; those opened before a time, where one is given; at most so many.
select id from sessions
where "user" = $1 and closed is null and expires > now() and ($3::timestamptz is null or opened < $3) limit $2
