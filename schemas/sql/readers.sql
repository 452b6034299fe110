-- Roles of Postgres that see the rows of one application (infra/base/readers.py).

-- name: installed
-- Whether there is an installation that knows readers.
select to_regclass('readers') is not null

-- name: lock
-- Readers are made and taken away one after the other, and while no rebuild switches.
select pg_advisory_xact_lock(hashtext($1))

-- name: group
-- Whether there is a role of that name.
select exists (select from pg_roles where rolname = $1)

-- name: readable
-- The tables of a schema that a policy shows something of, with their columns.
select c.relname as "table", array_agg(a.attname::text order by a.attnum) as columns
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = to_regnamespace($1) and c.relkind in ('r', 'p') and not c.relispartition
  and c.relrowsecurity and exists (select from pg_policy p where p.polrelid = c.oid)
group by c.relname
order by c.relname

-- name: ourselves
-- Who asks, and whether they may make roles.
select current_user::text as name, rolcreaterole or rolsuper as may, current_database()::text as database
from pg_roles where rolname = current_user

-- name: all
-- All readers, with the names of their applications, and whether their roles are still there.
select r.role, r.app, coalesce(a.name, case r.app when 'default' then 'Default' else '' end) as name,
       to_char(r.created at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as created,
       exists (select from pg_roles p where p.rolname = r.role) as there
from readers r left join apps a on a.id = r.app
order by r.role

-- name: forget
-- One reader; nothing where it is none.
delete from readers where role = $1 returning role
