-- Live channels, their servers as these have reported, and where channels are served. A server lives while its latest
-- report is younger than some seconds ($1 everywhere but in `report` and what reads the read models alone).

-- name: page
-- Channels after an id, in the order of their ids.
select {columns channel} from channels where state = 'created' and id > $1 order by id limit $2

-- name: by_id
-- A channel, also one that was deleted.
select {columns channel} from channels where id = $1

-- name: inside
-- Who is in channels ($2) by the reports of living servers, without those with whom the caller ($3) has a block.
select i.channel, u.username, u.name, n.number
from (
    select distinct c.id as channel, lower(x.username) as username
    from channel_servers s
    cross join unnest($2::bigint[]) c (id)
    cross join lateral jsonb_object_keys(s.users -> c.id::text) x (username)
    where s.reported > clock_timestamp() - make_interval(secs => $1)
) i
join handles h on h.id = 'username:' || i.username
join users u on u.id = h."user" and u.state = 'registered'
left join channel_users n on n."user" = u.id
where not exists (
    select from relationships b
    where b.type = 'block' and ((b."user" = u.id and b.other = $3) or (b."user" = $3 and b.other = u.id)))
order by i.channel, n.number nulls last, u.username

-- name: inside_of
-- Who is in the channels of one server ($1), by its latest report.
select c.id::bigint as channel, u.id as "user", u.username, n.number, x.version::bigint as version
from channel_servers s
cross join lateral jsonb_each(s.users) c (id, users)
cross join lateral jsonb_each_text(c.users) x (username, version)
join handles h on h.id = 'username:' || lower(x.username)
join users u on u.id = h."user" and u.state = 'registered'
left join channel_users n on n."user" = u.id
where s.id = $1
order by channel, n.number nulls last, u.username

-- name: before_listening
-- What is asked before the caller ($3) is sent to a channel ($2): their username and number, how many others are in it,
-- and whether there is a block between the caller and one of them.
select u.username, n.number, count(i.username) as others, coalesce(bool_or(b.apart), false) as apart
from users u
left join channel_users n on n."user" = u.id
left join (
    select distinct lower(x.username) as username
    from channel_servers s cross join lateral jsonb_object_keys(s.users -> $2::bigint::text) x (username)
    where s.reported > clock_timestamp() - make_interval(secs => $1)
) i on i.username <> lower(u.username)
left join handles h on h.id = 'username:' || i.username
left join lateral (
    select exists (
        select from relationships r
        where r.type = 'block' and ((r."user" = h."user" and r.other = $3) or (r."user" = $3 and r.other = h."user"))
    ) as apart
) b on true
where u.id = $3
group by u.username, n.number

-- name: username
-- Of a user, as they registered.
select username from users where id = $1

-- name: report
-- Takes a server's report: it lives from now on.
insert into channel_servers (id, address, url, name, metric, users, busy, reported)
values ($1, $2, $3, $4, $5, $6, $7, clock_timestamp())
on conflict (id) do update set address = excluded.address, url = excluded.url, name = excluded.name, metric = excluded.metric,
    users = excluded.users, busy = excluded.busy, reported = excluded.reported

-- name: forget_places
-- Takes channels from servers that are dead, and what was deleted from all.
delete from channel_places p
where not exists (
        select from channel_servers s
        where s.id = p.server and s.reported > clock_timestamp() - make_interval(secs => $1))
    or exists (select from channels c where c.id = p.channel and c.state = 'deleted')

-- name: forget_servers
-- Takes away servers that have not reported for so many seconds.
delete from channel_servers where reported <= clock_timestamp() - make_interval(secs => $1)

-- name: forget_before
-- Takes away the relays that had a relay's ($1) address ($2) before.
update channel_servers set users = '{}', busy = 0, reported = '-infinity'
where id like '%@' || $2 and id <> $1 and reported <> '-infinity'

-- name: forget_server
-- Takes a server away ($1) that says that it ends: as dead as one that was silent, and still known.
update channel_servers set users = '{}', busy = 0, reported = '-infinity' where id = $1

-- name: deleted_among
-- Those of some channels ($1) that were deleted.
select id from channels where id = any($1::bigint[]) and state = 'deleted'

-- name: serving
-- The living servers that serve a channel ($2), as they have reported or because it was given to them.
select s.id, s.address, s.url, s.name from channel_servers s
where s.reported > clock_timestamp() - make_interval(secs => $1)
    and (s.users ? $2::bigint::text
        or exists (select from channel_places p where p.channel = $2 and p.server = s.id))
order by s.id

-- name: server
-- A server, alive or dead.
select id, address, url, name from channel_servers where id = $1

-- name: choose
-- The server of a channel ($2), noted: a living one that serves it, of several the one that it was given to; else the
-- living one that it was given to; else the one with the fewest users. One that was set aside within $3 seconds comes
-- after all others. No row while none lives. Who asks at the same time waits at the row for whoever was first, and finds
-- what they noted.
with living as materialized (
    select id, address, url, name, busy, users ? $2::bigint::text as serves,
        coalesce(aside > clock_timestamp() - make_interval(secs => $3), false) as aside
    from channel_servers
    where reported > clock_timestamp() - make_interval(secs => $1)
), best as (
    select id from living order by serves desc, aside, busy, id limit 1
), chosen as (
    insert into channel_places as p (channel, server) select $2::bigint, id from best
    on conflict (channel) do update set (server, since) = (
        select keep.id, case when keep.id = p.server then p.since else clock_timestamp() end
        from living keep
        where keep.id in (p.server, excluded.server)
        order by keep.serves desc, keep.aside, keep.id = p.server desc
        limit 1)
    returning server
)
select l.id, l.address, l.url, l.name, l.serves from chosen c join living l on l.id = c.server

-- name: set_aside
-- A server ($1) does not take what it is given, or cannot be reached.
update channel_servers set aside = clock_timestamp() where id = $1

-- name: elsewhere
-- Those of a server's ($2) users, as it has reported, whom another living server reports by a later listen.
select distinct m.channel::bigint as channel, m.username
from (
    select c.key as channel, x.key as username, x.value::bigint as version
    from channel_servers s cross join jsonb_each(s.users) c cross join lateral jsonb_each_text(c.value) x
    where s.id = $2
) m
join (
    select lower(x.key) as username, max(x.value::bigint) as version
    from channel_servers s cross join jsonb_each(s.users) c cross join lateral jsonb_each_text(c.value) x
    where s.id <> $2 and s.reported > clock_timestamp() - make_interval(secs => $1)
    group by lower(x.key)
) o on o.username = lower(m.username) and o.version > m.version
order by 1, 2

-- name: given_away
-- Those of some channels ($3) that were given to another living server than this one ($2).
select p.channel from channel_places p
join channel_servers s on s.id = p.server
where p.channel = any($3::bigint[]) and p.server <> $2
    and s.reported > clock_timestamp() - make_interval(secs => $1)

-- name: apart
-- Of those who are in channels (users $1 in channels $2 since $3, side by side): who is in one with somebody with whom
-- there is a block, and came later.
with inside as (
    select * from unnest($1::text[], $2::bigint[], $3::double precision[]) i ("user", channel, since)
)
select distinct
    case when (one.since, one."user") > (other.since, other."user") then one."user" else other."user" end as "user",
    one.channel
from relationships b
join inside one on one."user" = b."user"
join inside other on other."user" = b.other and other.channel = one.channel
where b.type = 'block' and b."user" = any($1::text[])
