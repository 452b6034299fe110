-- name: positions
-- The next offset of each shard for a consumer.
select topic, partition, next_offset from positions where consumer = $1

-- name: revoked
-- Sessions that were closed before they expired: their tokens would still look valid.
select id from sessions where closed is not null and expires > now()

-- name: parked
-- Streams that wait for an operator.
select distinct stream from parked where consumer = $1
