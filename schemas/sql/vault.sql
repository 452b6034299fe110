-- name: put
-- Keeps a password hash, or a sealed secret.
insert into credentials (id, hash, sealed) values ($1, $2, $3) on conflict (id) do nothing

-- name: sealed
-- A sealed secret.
select sealed from credentials where id = $1

-- name: remove
-- Forgets one.
delete from credentials where id = $1
