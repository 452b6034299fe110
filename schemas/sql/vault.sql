-- name: put
-- Keeps a password hash.
insert into credentials (id, hash) values ($1, $2) on conflict (id) do nothing

-- name: remove
-- Forgets a password hash.
delete from credentials where id = $1
