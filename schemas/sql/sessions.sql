-- name: closed
-- Whether a session was closed.
select closed is not null from sessions where "user" = $1 and id = $2
