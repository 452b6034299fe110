-- Roles of Postgres that see the rows of one application (infra/base/readers.py). Each sees its own row here, which the
-- policies of the live tables ask for.
create table readers (
    role        text collate "C" primary key,
    app         text collate "C" not null,
    created     timestamptz not null default now()
);
alter table readers enable row level security;
create policy readers on readers for select using (role = current_user::text);
-- From what the channels of notifications are named: whoever may connect may listen to a name that they know.
alter table installation add column notices text not null default gen_random_uuid()::text;
