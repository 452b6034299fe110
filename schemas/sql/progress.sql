-- name: positions
-- The next offset of each shard for a consumer.
select topic, partition, next_offset from positions where consumer = $1

-- name: revoked
-- Sessions that were closed before they expired: their tokens would still look valid.
select id from sessions where closed is not null and expires > now()

-- name: parked
-- Streams that wait for an operator.
select distinct stream from parked where consumer = $1

-- name: channel
-- What Postgres has a channel under. Anybody who may connect may listen, and is told ids of all applications: so the
-- name is one that nobody else can tell.
select 'k' || left(encode(sha256(convert_to(notices || $1, 'UTF8')), 'hex'), 40) from installation
