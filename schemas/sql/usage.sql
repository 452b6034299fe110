-- Queries of usage: what is counted, where the counting goes on, and what is read of it.

-- name: init_places
-- A shard that was never counted begins at its first record.
insert into usage_positions (topic, partition, next_offset)
select topic, partition, 0 from unnest($1::text[], $2::integer[]) as s(topic, partition)
on conflict do nothing

-- name: places
-- Up to where each shard has been counted.
select topic, partition, next_offset, term from usage_positions

-- name: lock_places
-- The same of some shards, which nobody else counts until the end of the transaction; in one order for all.
select topic, partition, next_offset, term from usage_positions
where (topic, partition) in (select * from unnest($1::text[], $2::integer[]))
order by topic, partition
for update

-- name: move_places
-- Where the counting goes on; of shards that are locked.
insert into usage_positions (topic, partition, next_offset, term)
select * from unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[])
on conflict (topic, partition) do update set next_offset = excluded.next_offset, term = excluded.term

-- name: add_actors
-- Notes who did something, in one order for all; how many of them are new in each window.
with new as (
    insert into usage_actors (app, length, start, "user")
    select app, length, start::timestamptz, "user"
    from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as a(app, length, start, "user")
    on conflict do nothing
    returning app, length, start
)
select app, length, start, count(*) as users from new group by app, length, start

-- name: add_metrics
-- Adds to windows, in one order for all.
insert into usage_metrics (app, length, start, metric, value)
select app, length, start::timestamptz, metric, value
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[]) as m(app, length, start, metric, value)
on conflict (app, length, metric, start) do update set value = usage_metrics.value + excluded.value

-- name: raise_peaks
-- A day's peak is the highest of its hours.
insert into usage_metrics (app, length, start, metric, value)
select d.app, 'day', d.day::timestamptz, $3, max(h.value)
from unnest($1::text[], $2::text[]) as d(app, day)
join usage_metrics h on h.app = d.app and h.length = 'hour' and h.metric = $3
    and h.start >= d.day::timestamptz and h.start < d.day::timestamptz + interval '24 hours'
group by d.app, d.day
on conflict (app, length, metric, start) do update set value = excluded.value

-- name: beside
-- Tables of this session that stand before those that serve: what counts, counts into them.
create temp table usage_metrics (like {kept}.usage_metrics including all);
create temp table usage_actors (like {kept}.usage_actors including all);
create temp table usage_positions (like {kept}.usage_positions including all)

-- name: places_kept
-- Up to where each shard has been counted in the tables that serve.
select topic, partition, next_offset, term from {kept}.usage_positions

-- name: lock_kept
-- The same; nobody counts until the end of the transaction.
select topic, partition, next_offset, term from {kept}.usage_positions order by topic, partition for update

-- name: digests_metrics
-- Rows and the sum of their hashes, as they should be and as they are.
select (select row(count(*), coalesce(sum(hash_record_extended(e, 0)), 0)::text) from pg_temp.usage_metrics e) as expected,
       (select row(count(*), coalesce(sum(hash_record_extended(a, 0)), 0)::text) from {kept}.usage_metrics a) as actual

-- name: digests_actors
-- The same of who did something.
select (select row(count(*), coalesce(sum(hash_record_extended(e, 0)), 0)::text) from pg_temp.usage_actors e) as expected,
       (select row(count(*), coalesce(sum(hash_record_extended(a, 0)), 0)::text) from {kept}.usage_actors a) as actual

-- name: differing_metrics
-- Windows whose value is not what the log says: the expected one, and the one that is there; null: no row.
select app, length, metric, start, e.value as expected, a.value as actual
from pg_temp.usage_metrics e
full join {kept}.usage_metrics a using (app, length, metric, start)
where e.value is distinct from a.value
order by app, length, metric, start

-- name: differing_actors
-- Users of windows who should be there and are not, or the other way round.
select app, length, start, "user", e.here as expected, a.here as actual
from (select *, true as here from pg_temp.usage_actors) e
full join (select *, true as here from {kept}.usage_actors) a using (app, length, start, "user")
where e.here is distinct from a.here
order by app, length, start, "user"

-- name: forget_erased
-- Takes away what was counted of erased applications: their rows have gone.
delete from pg_temp.usage_metrics where app in (select id from apps where state = 'erased');
delete from pg_temp.usage_actors where app in (select id from apps where state = 'erased')

-- name: replace
-- Makes the tables that serve what was counted beside them. Places are changed where they stand: who waits for the lock
-- of a row that is deleted finds none, also where there is another by then.
delete from {kept}.usage_metrics;
delete from {kept}.usage_actors;
insert into {kept}.usage_metrics select * from pg_temp.usage_metrics;
insert into {kept}.usage_actors select * from pg_temp.usage_actors;
insert into {kept}.usage_positions select * from pg_temp.usage_positions
on conflict (topic, partition) do update set next_offset = excluded.next_offset, term = excluded.term

-- name: windows
-- An application's values of some metrics in windows of one length.
select start, metric, value from usage_metrics
where app = $1 and length = $2 and metric = any($3::text[]) and start >= $4::timestamptz and start < $5::timestamptz
order by start, metric

-- name: active_in
-- How many of an application's users did something in the windows of a length.
select count(distinct "user") from usage_actors
where app = $1 and length = $2 and start >= $3::timestamptz and start < $4::timestamptz

-- name: applications
-- Applications by a metric of the days from $1 to $2, the one with most first; how many there are in all. $4: metrics of
-- which the highest value counts, and not the sum.
with days as (
    select app, metric,
           case when metric = any($4::text[]) then max(value) else sum(value)::bigint end as value
    from usage_metrics
    where length = 'day' and start >= $1::timestamptz and start < $2::timestamptz
    group by app, metric
), people as (
    select app, count(distinct "user") as users from usage_actors
    where length = 'day' and start >= $1::timestamptz and start < $2::timestamptz
    group by app
), totals as (
    select d.app, jsonb_object_agg(d.metric, case when d.metric = 'active_users' then coalesce(p.users, 0) else d.value end)
        as totals
    from days d left join people p using (app)
    group by d.app
)
select t.app, a.name, t.totals, count(*) over () as all
from totals t left join apps a on a.id = t.app
order by coalesce((t.totals ->> $3)::bigint, 0) desc, t.app
limit $5
