-- Who this installation is, the serial of its metadata, and the log of every change.

create table identity (
    one bigint not null constraint identity_pkey primary key constraint identity_one_check check (one = 1),
    uuid text not null,
    secret blob not null
);

create table serial (
    one bigint not null constraint serial_pkey primary key constraint serial_one_check check (one = 1),
    value bigint not null
);

insert into serial (one, value) values (1, 0);

-- Names, not ids: the log outlives what it speaks of.
create table changelog (
    id integer not null constraint changelog_pkey primary key autoincrement,
    serial bigint not null,
    changed_at bigint not null,
    who text,
    scope text not null,
    index_name text,
    project text,
    what text not null,
    detail text not null
);

create index changelog_serial_idx on changelog (serial);
