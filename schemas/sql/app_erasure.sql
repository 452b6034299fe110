-- Erased applications: what is passed over, and the removal of their rows in bounded pieces.

-- name: among
-- Those of some applications that are erased.
select id from apps where id = any($1) and state = 'erased'

-- name: all
-- All erased applications.
select id from apps where state = 'erased'

-- name: note_events
-- More events of applications that are passed over.
insert into erased_events (app, topic, events)
select app, topic, events from unnest($1::text[], $2::text[], $3::bigint[]) as p(app, topic, events)
on conflict (app, topic) do update set events = erased_events.events + excluded.events

-- name: pending
-- Erased applications of which rows may be there yet, or nothing says that they are gone.
select a.id from apps a left join erasures e on e.app = a.id
where a.state = 'erased' and (a.cleared is null or e.done is null)
order by a.updated, a.id

-- name: unfinished
-- Erased applications of which rows may be there yet, in the tables of a schema.
select a.id from {live}apps a left join {live}erasures e on e.app = a.id
where a.state = 'erased' and e.done is null order by a.id

-- name: done
-- Applications whose rows were removed from the tables of a schema.
select app from {live}erasures where done is not null order by app

-- name: assume_done
-- Applications of which these tables never had a row.
insert into erasures (app, done) select app, now() from unnest($1::text[]) as a(app)

-- name: begin
-- The removal begins, or goes on.
insert into erasures (app) values ($1) on conflict (app) do update set done = null

-- name: removed
-- So many rows more of a table went.
update erasures set rows = rows || jsonb_build_object($2::text, coalesce((rows->>$2::text)::bigint, 0) + $3::bigint)
where app = $1

-- name: end
-- The last of them is gone.
update erasures set done = now() where app = $1

-- name: rows_of
-- What was removed so far, by table.
select rows from erasures where app = $1

-- name: facts
-- When and by whom an application was erased, and what went.
select type, actor, time, data from changes
where stream = $1 and topic = 'apps' and type in ('app.erased', 'app.erasure_completed') order by "offset"

-- name: log_of
-- Events of an application that the log has, by topic: those that no row tells of, and those that outlive it.
select topic, sum(events)::bigint as events from (
    select topic, events from erased_events where app = $1
    union all
    select topic, count(*) from changes where stream = $1 and topic = 'apps' group by topic
) e group by topic

-- name: parked
-- All that waits for a fix.
select consumer, topic, partition, "offset", stream, value from parked

-- name: secrets
-- What the vault calls the secrets of all keys that an application had.
select data->>'secret' as secret from changes
where stream = $1 and topic = 'apps' and type in ('app.created', 'app.key_rolled')

-- name: rooms
-- The next rooms of an application.
select id from rooms where app = $1 and id > $2 order by id limit $3

-- name: users
-- The next users of an application, each with what the vault calls their password.
select id, credential from users where app = $1 and id > $2 order by id limit $3

-- name: revisions
-- What messages held before.
delete from revisions where message = any($1)

-- name: handles
-- Names that were claimed in an application: it stands before them.
delete from handles where ctid = any(array(
    select ctid from handles where id >= $1 || '/' and id < $1 || '0' limit $2))

-- name: last_change
-- Up to where a partition has changes.
select max("offset") from changes where partition = $1

-- name: changes
-- The changes of an application in a range of offsets. What operators did to it stays (events/apps.py, outlives).
with gone as (
    delete from changes
    where partition = $1 and "offset" >= $2 and "offset" < $3 and app = $4
      and not (topic = 'apps' and (type like 'app.%' or type = 'key.used'))
    returning topic, stream
)
select topic, count(*) as events, array_agg(distinct stream) as streams from gone group by topic

-- name: skipped
-- What operators have passed over in some streams: by topic, how many the read models did.
with gone as (
    delete from skipped where topic <> 'apps' and (topic, stream) in (select * from unnest($1::text[], $2::text[]))
    returning topic, consumer
)
select topic, count(*) as rows, count(*) filter (where consumer = $3) as events from gone group by topic
