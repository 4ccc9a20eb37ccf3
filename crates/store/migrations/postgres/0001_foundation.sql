-- Who this installation is, the serial of its metadata, and the log of every change.

create table identity (
    one bigint not null constraint identity_pkey primary key constraint identity_one_check check (one = 1),
    uuid text collate "C" not null,
    secret bytea not null
);

create table serial (
    one bigint not null constraint serial_pkey primary key constraint serial_one_check check (one = 1),
    value bigint not null
);

insert into serial (one, value) values (1, 0);

-- Names, not ids: the log outlives what it speaks of.
create table changelog (
    id bigint not null generated always as identity constraint changelog_pkey primary key,
    serial bigint not null,
    changed_at bigint not null,
    who text collate "C",
    scope text collate "C" not null,
    index_name text collate "C",
    project text collate "C",
    what text collate "C" not null,
    detail text collate "C" not null
);

create index changelog_serial_idx on changelog (serial);

-- SQLite's function for lists of ids, so that one SQL text serves both engines.
create function json_each(list text) returns table (value bigint)
    language sql immutable parallel safe
    as $$ select element::bigint from jsonb_array_elements_text(list::jsonb) as ids (element) $$;
