create table archived_months (
    month       text collate "C" primary key,
    archived_at timestamptz not null default now()
);
