-- The read models: folded from the log, and made anew from it at any time. One table an entity, column for column
-- what the entity's struct in events/ says, then what only reading needs.

create table users (
    id          text collate "C" primary key,
    app         text collate "C" not null,
    username    text not null,
    name        text not null,
    role        text not null,
    state       text not null,
    credential  text,
    email       text,
    email_settled bigint not null,
    seen        timestamptz,
    visual      text,
    added_by    text,
    external    text,
    account     text not null,
    team        text collate "C",
    avatar      text,
    bio         text,
    data        json not null,
    custom      json not null,
    deactivated timestamptz,
    tokens_before timestamptz,
    erased      timestamptz,
    erasure     json not null,
    created     timestamptz not null,
    updated     timestamptz not null,
    version     bigint not null,
    -- Search: names without case and accents, a line each, and the n-grams of them.
    folded      text collate "C" not null,
    grams       text[] collate "C" not null
);
create index users_grams on users using gin (grams) with (fastupdate = off);
create index users_visual on users (visual) where visual is not null;
create index users_erasing on users (id) where erased is not null and (erasure->>'done') is null;
-- Those of an application: readers' rows, and how many it has (plans).
create index users_app on users (app, state);
-- Without teams it is empty.
create index users_team on users (team) where team is not null;
create index users_custom on users using gin ((custom::jsonb) jsonb_path_ops) with (fastupdate = off);

create table sessions (
    "user"      text collate "C" not null,
    id          text collate "C" not null,
    opened      timestamptz not null,
    expires     timestamptz not null,
    closed      timestamptz,
    sliding     boolean not null,
    device      text,
    used        timestamptz,
    since       bigint not null,
    version     bigint not null,
    primary key ("user", id)
);
-- A user's open sessions, past however many have ended.
create index sessions_open on sessions ("user", expires) where closed is null;
create index sessions_closed on sessions (expires) where closed is not null;

create table relationships (
    "user"      text collate "C" not null,
    other       text collate "C" not null,
    type        text,
    created     timestamptz not null,
    updated     timestamptz not null,
    version     bigint not null,
    primary key ("user", other)
);
create index relationships_other on relationships (other, "user");

create table visuals (
    id           text collate "C" primary key,
    app          text collate "C" not null,
    owner        text collate "C" not null,
    model_data   json not null,
    emotion_data json not null,
    created      timestamptz not null,
    updated      timestamptz not null,
    version      bigint not null
);
create index visuals_owner on visuals (owner);

create table apps (
    id          text collate "C" primary key,
    name        text not null,
    state       text not null,
    reason      text,
    keys        json not null,
    tokens_before timestamptz,
    settings    json not null,
    plan        text,
    cleared     timestamptz,
    teams       bigint not null,
    created     timestamptz,
    updated     timestamptz,
    version     bigint not null,
    -- The keys by themselves.
    api_keys    text[] collate "C" not null
);
create index apps_api_keys on apps using gin (api_keys) with (fastupdate = off);
create index apps_erased on apps (id) where state = 'erased';

-- Events of erased applications that were passed over, or whose rows went: what the log still has of each.
create table erased_events (
    app         text collate "C" not null,
    topic       text collate "C" not null,
    events      bigint not null,
    primary key (app, topic)
);

-- Whose rows of these tables were removed: how many by table, and when the last of them was (projectors/erasure).
create table erasures (
    app         text collate "C" primary key,
    rows        jsonb not null default '{}',
    begun       timestamptz not null default now(),
    done        timestamptz
);

create table plans (
    id          text collate "C" primary key,
    name        text not null,
    tier        text not null,
    state       text not null,
    monthly     bigint,
    yearly      bigint,
    currency    text not null,
    features    json not null,
    limits      json not null,
    created     timestamptz not null,
    updated     timestamptz not null,
    version     bigint not null
);

create table teams (
    id          text collate "C" primary key,
    app         text collate "C" not null,
    external    text not null,
    name        text not null,
    custom      json not null,
    state       text not null,
    created     timestamptz not null,
    updated     timestamptz not null,
    version     bigint not null
);
create index teams_app on teams (app, id);

create table handles (
    id          text collate "C" primary key,
    "user"      text collate "C" not null,
    state       text not null,
    claimed     timestamptz not null,
    version     bigint not null
);

create table rooms (
    id          text collate "C" primary key,
    app         text collate "C" not null,
    slug        text,
    team        text collate "C",
    type        text not null,
    name        text not null,
    description text,
    topic_line  text,
    settings    json not null,
    state       text not null,
    data        json not null,
    custom      json not null,
    seq         bigint not null,
    last        text collate "C",
    rank        text collate "C",
    members     bigint not null,
    pins        bigint not null,
    owner       text collate "C",
    created     timestamptz not null,
    updated     timestamptz not null,
    version     bigint not null,
    folded      text collate "C" not null,
    grams       text[] collate "C" not null,
    -- The hour of the latest activity. What changes with every message is in no index: so the row's new version stays
    -- beside the old one, and needs no new entry for each n-gram of its name (heap-only tuples).
    active      timestamp not null generated always as (date_trunc('hour', updated at time zone 'UTC')) stored
) with (fillfactor = 70);
-- Without teams it is empty.
create index rooms_team on rooms (team) where team is not null;
create index rooms_grams on rooms using gin (grams) with (fastupdate = off);
-- Those of an application: readers' rows, and how many it has (plans). No message changes the state.
create index rooms_app on rooms (app, state);
-- Public rooms as they are listed, but for the order within an hour.
create index rooms_public on rooms (app, coalesce(team, ''), active desc) where type = 'public' and state = 'active';
-- Public rooms by what their custom object contains.
create index rooms_custom on rooms using gin ((custom::jsonb) jsonb_path_ops) with (fastupdate = off)
    where type = 'public' and state = 'active';

create table members (
    room        text collate "C" not null,
    "user"      text collate "C" not null,
    role        text not null,
    state       text not null,
    since       bigint not null,
    joined      timestamptz not null,
    read        bigint not null,
    read_at     timestamptz not null,
    notifications boolean not null,
    willing     boolean not null,
    custom      json not null,
    version     bigint not null,
    primary key (room, "user")
);
create index members_user on members ("user", room) where state = 'joined';
create index members_since on members (room, since);

create table stays (
    room        text collate "C" not null,
    "user"      text collate "C" not null,
    since       bigint not null,
    until       bigint not null,
    version     bigint not null,
    primary key (room, "user", since)
);
create index stays_user on stays ("user");

create table invitations (
    room        text collate "C" not null,
    "user"      text collate "C" not null,
    by          text collate "C" not null,
    state       text not null,
    type        text not null,
    name        text not null,
    created     timestamptz not null,
    updated     timestamptz not null,
    version     bigint not null,
    primary key (room, "user")
);
-- What waits for somebody's answer, and whom they have refused.
create index invitations_user on invitations ("user", by) where state in ('pending', 'declined');

-- By month: an id is a UUIDv7 and begins with its time, so a month is a range of ids. The partitions of months are made
-- when they are needed (infra/base/months.py); what lies before 1970, after 2199 or is no UUIDv7 has its place at the ends.
create table messages (
    id          text collate "C" primary key,
    room        text collate "C" not null,
    seq         bigint not null,
    author      text collate "C" not null,
    token       text not null,
    type        text not null,
    content     json not null,
    data        json not null,
    created     timestamptz not null,
    updated     timestamptz not null,
    edited      timestamptz,
    deleted     timestamptz,
    revision    bigint not null,
    rank        text collate "C",
    version     bigint not null,
    -- Search: words of the text, and a mark of the room.
    words       tsvector not null
) partition by range (id);
create table messages_0000_00 partition of messages for values from (minvalue) to ('00000000-0000');
create table messages_9999_99 partition of messages for values from ('0699e991-a800') to (maxvalue);
-- Not unique: Postgres cannot tell across partitions. The fold gives the numbers: a room has one writer at a time.
create index messages_seq on messages (room, seq);
-- Messages that do not stand at their ids: those of clocks that are behind, and old ones that came late.
create index messages_rank on messages (rank, room, seq) where rank is not null;
-- New words wait in a list until it has 1 MiB: a third less work for the projector, and at most 128 blocks that a search
-- of the month reads besides.
create index messages_words on messages using gin (words) with (fastupdate = on, gin_pending_list_limit = 1024);

-- Which months a room's messages are in, with their numbers and times: what a page or a search has to look at; and the
-- lowest and highest rank of those that have one.
create table spans (
    room        text collate "C" not null,
    month       text collate "C" not null,
    first       bigint not null,
    last        bigint not null,
    since       timestamptz not null,
    until       timestamptz not null,
    low         text collate "C",
    high        text collate "C",
    primary key (room, month)
);

-- What messages held before they were edited.
create table revisions (
    message     text collate "C" not null,
    number      bigint not null,
    content     json not null,
    data        json not null,
    created     timestamptz not null,
    version     bigint not null,
    primary key (message, number)
);

-- Messages that a room keeps in sight, also those that it kept once.
create table pins (
    room        text collate "C" not null,
    message     text collate "C" not null,
    state       text not null,
    by          text collate "C" not null,
    pinned      timestamptz not null,
    version     bigint not null,
    primary key (room, message)
);
create index pins_room on pins (room) where state = 'pinned';

-- Live channels (S1), also those that were deleted, whose ids are not used again.
create table channels (
    id          bigint primary key,
    name        text not null,
    "limit"     bigint not null,
    owner       text collate "C" not null,
    state       text not null,
    created     timestamptz not null,
    deleted     timestamptz,
    version     bigint not null
);
create index channels_created on channels (id) where state = 'created';

-- What users are to channels: the number that messages name them by, and how many channels they have.
create table channel_users (
    "user"      text collate "C" primary key,
    number      bigint,
    channels    bigint not null,
    version     bigint not null
);

-- What was given out last: one row.
create table channel_counters (
    stream      text collate "C" primary key,
    channel     bigint not null,
    number      bigint not null,
    version     bigint not null
);

-- Where each user listened last.
create table listenings (
    "user"      text collate "C" primary key,
    channel     bigint not null,
    server      text collate "C" not null,
    listened    timestamptz not null,
    version     bigint not null
);

-- S0's change history: every valid event, as it stands in the log.
create table changes (
    topic       text collate "C" not null,
    partition   integer not null,
    "offset"    bigint not null,
    id          text not null,
    type        text not null,
    stream      text collate "C" not null,
    actor       text collate "C" not null,
    command     text collate "C" not null,
    app         text not null,
    time        timestamptz not null,
    -- Of the request behind a client's key; on the first event of its command.
    digest      text collate "C",
    -- The text of the log, which almost every reader wants as text: jsonb would take it apart and put it together.
    data        json not null
);
-- Its key. Not declared as one, so that a rebuild makes it when all rows are there; and the topic at its end, where
-- nothing is sorted by a text: a range of offsets meets at most the few events that other topics have in it.
create unique index changes_position on changes (partition, "offset", topic);
-- Long texts as one number: a third of the work and a seventh of the size. Queries also compare the texts, put together
-- in the same way, so that no other index offers itself; streams and actors hold no line ends.
create index changes_command on changes (hashtextextended(stream || E'\n' || actor || E'\n' || command, 0));
-- With the time: where a stream stood at a moment is found in the index alone.
create index changes_stream on changes (stream, "offset") include (time);
-- What one person did in a stream, for answers as of a past moment: up to where they had read then.
create index changes_actor on changes (hashtextextended(stream || E'\n' || actor, 0), "offset");
-- What made a room and its membership what they are: few beside what is said there. A new type of event is in here; left
-- out are types of which infra/base/event_types.py says that past.sql need not look at them.
create index changes_structure on changes (stream, "offset") where topic = 'rooms' and type not in (
    'message.posted', 'member.read', 'message.edited', 'message.deleted', 'message.restored', 'message.emotion_detected',
    'member.invited', 'invitation.declined', 'invitation.withdrawn', 'key.used', 'log.opened');
-- What became of a message after it was said, by the same rule.
create index changes_message on changes ((data->>'message'), "offset") where topic = 'rooms' and type not in (
    'message.posted', 'member.read', 'member.joined', 'member.left', 'member.role_changed', 'member.notifications_set',
    'member.custom_changed', 'member.invited', 'invitation.declined', 'invitation.withdrawn', 'room.created',
    'room.renamed', 'room.described', 'room.topic_line_set', 'room.settings_changed', 'room.data_changed',
    'room.custom_changed', 'room.archived', 'room.unarchived', 'room.deleted', 'room.restored', 'key.used',
    'log.opened');

-- Which offset of each shard comes next, and the term that holds there.
create table positions (
    consumer    text not null,
    topic       text collate "C" not null,
    partition   integer not null,
    next_offset bigint not null,
    term        bigint,
    primary key (consumer, topic, partition)
);

-- Events that could not be applied, and what stands behind them in their streams.
create table parked (
    consumer    text not null,
    topic       text collate "C" not null,
    partition   integer not null,
    "offset"    bigint not null,
    stream      text collate "C" not null,
    type        text not null,
    value       bytea not null,
    error       text not null,
    parked_at   timestamptz not null default now(),
    primary key (consumer, topic, partition, "offset")
);
create index parked_stream on parked (consumer, stream, "offset");

-- Whom a row is shown to that is read by a role of Postgres other than the owner: readers (infra/base/readers.py) see
-- what is of their application, and a table that is not named here nothing of. What a policy reads, it reads as the
-- reader: "all rooms" are those of the reader's application. As an array, that is read once a query, and an index on the
-- column that it is compared with is used. A policy names tables of its own model only (projectors/rebuild/models.py),
-- and who reads is told by current_user, which a reader cannot set.
alter table users enable row level security;
create policy readers on users for select
    using (app = (select r.app from readers r where r.role = current_user::text));
alter table sessions enable row level security;
create policy readers on sessions for select using ("user" = any(array(select u.id from users u)));
alter table relationships enable row level security;
create policy readers on relationships for select using ("user" = any(array(select u.id from users u)));
alter table visuals enable row level security;
create policy readers on visuals for select
    using (app = (select r.app from readers r where r.role = current_user::text));
alter table apps enable row level security;
create policy readers on apps for select
    using (id = (select r.app from readers r where r.role = current_user::text));
alter table teams enable row level security;
create policy readers on teams for select
    using (app = (select r.app from readers r where r.role = current_user::text));
-- The application stands before the kind; before those of the default one nothing does.
alter table handles enable row level security;
create policy readers on handles for select
    using (case when strpos(split_part(id, ':', 1), '/') > 0 then split_part(id, '/', 1) else 'default' end
           = (select r.app from readers r where r.role = current_user::text));
alter table rooms enable row level security;
create policy readers on rooms for select
    using (app = (select r.app from readers r where r.role = current_user::text));
alter table members enable row level security;
create policy readers on members for select using (room = any(array(select r.id from rooms r)));
alter table stays enable row level security;
create policy readers on stays for select using (room = any(array(select r.id from rooms r)));
alter table invitations enable row level security;
create policy readers on invitations for select using (room = any(array(select r.id from rooms r)));
alter table messages enable row level security;
create policy readers on messages for select
    using (deleted is null and room = any(array(select r.id from rooms r)));
alter table spans enable row level security;
create policy readers on spans for select using (room = any(array(select r.id from rooms r)));
-- Rooms are some thousands, messages are not: each is looked up.
alter table revisions enable row level security;
create policy readers on revisions for select using (exists (select from messages m where m.id = message));
alter table pins enable row level security;
create policy readers on pins for select using (room = any(array(select r.id from rooms r)));
-- Live channels are the default application's.
alter table channels enable row level security;
create policy readers on channels for select
    using ('default' = (select r.app from readers r where r.role = current_user::text));
alter table channel_users enable row level security;
create policy readers on channel_users for select
    using ('default' = (select r.app from readers r where r.role = current_user::text));
alter table listenings enable row level security;
create policy readers on listenings for select
    using ('default' = (select r.app from readers r where r.role = current_user::text));
-- Without the events that say where in the vault a password or a secret is, what people called themselves before, and
-- what operators note.
alter table changes enable row level security;
create policy readers on changes for select
    using (app = (select r.app from readers r where r.role = current_user::text)
           and type not in ('user.registered', 'user.password_changed', 'user.profile_changed', 'user.email_changed',
                            'user.email_abandoned', 'app.created', 'app.key_rolled', 'app.suspended', 'app.erased'));
