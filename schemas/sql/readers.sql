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

-- name: open_to_all
-- Functions that any role may run unless it was taken from all, and no reader may: they take locks that others here
-- wait for, whoever holds them, or make large objects, which are no rows and know no policy.
select p.oid::regprocedure::text as function
from pg_proc p
where p.pronamespace = 'pg_catalog'::regnamespace
  and (p.proname ~ '^pg_(try_)?advisory_(xact_)?lock' or p.proname in ('lo_creat', 'lo_create', 'lo_from_bytea'))
  and exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0)
order by 1

-- name: others
-- Who logs in and is no reader, of this installation or of another one in the database.
select r.rolname as name from pg_roles r
where r.rolcanlogin and not r.rolsuper and not exists (
    select from pg_auth_members m join pg_roles g on g.oid = m.roleid
    where m.member = r.oid and not g.rolcanlogin and g.rolname like '%\_readers'
)
order by 1

-- name: end_sessions
-- Ends a role's sessions: what they hold is held until then.
select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = $1

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
