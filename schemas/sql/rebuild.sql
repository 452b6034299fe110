-- Read models made anew: schemas beside the live one, and the switch between them.

-- name: exists
-- Whether there is a schema, with tables.
select to_regclass($1) is not null

-- name: marker
-- What is noted about a schema that a rebuild made.
select obj_description(to_regnamespace($1), 'pg_namespace')

-- name: alone
-- Rebuilds, verifications and what else moves whole tables exclude one another, until the connection ends.
select pg_try_advisory_lock($1)

-- name: working
-- Who holds that lock.
select a.pid, a.application_name, a.backend_start
from pg_locks l join pg_stat_activity a using (pid)
where l.locktype = 'advisory' and l.granted and (l.classid::bigint << 32 | l.objid::bigint) = $1

-- name: clock
-- The server's time.
select clock_timestamp()

-- name: older_snapshots
-- Who still reads what it saw before a moment, without those who wait for us: these look again.
select pid, application_name, xact_start from pg_stat_activity
where datname = current_database() and backend_type = 'client backend' and pid <> all($1::integer[])
  and backend_xmin is not null and xact_start < $2::timestamptz
  and not pg_blocking_pids(pid) && $1::integer[]

-- name: parked_anew
-- Streams with an event that could not be applied here and could in the schema that serves.
select distinct stream, topic, partition, min("offset") as "offset", min(error) as error
from parked p
where consumer = $1 and not exists (select from {live}.parked l where l.consumer = $1 and l.stream = p.stream)
group by stream, topic, partition
order by stream

-- name: vacuumed
-- Tables of a schema that autovacuum looks at ($2), or does not.
select relname from pg_class
where relnamespace = to_regnamespace($1) and relkind = 'r'
  and not coalesce(reloptions, '{}') @> array['autovacuum_enabled=false'] = $2::boolean
order by relname

-- name: month_states
-- The months that have a table in a schema, and whether it is attached.
select replace(substr(c.relname, 10), '_', '-') as month, i.inhrelid is not null as attached
from pg_class c left join pg_inherits i on i.inhrelid = c.oid
where c.relnamespace = to_regnamespace($1) and c.relkind = 'r' and c.relname ~ '^messages_[0-9]{4}_[0-9]{2}$'
order by 1

-- name: forget_parked
-- What was parked of the topics that were folded anew.
delete from {live}.parked where consumer = $1 and topic = any($2)

-- name: take_parked
-- What is parked of them now.
insert into {live}.parked select * from {fresh}.parked where consumer = $1 and topic = any($2)

-- name: unchanged_parked
-- A parked event is no change yet.
delete from {live}.changes c using {live}.parked p
where p.consumer = $1 and p.topic = any($2)
  and c.topic = p.topic and c.partition = p.partition and c."offset" = p."offset"
