-- Ids are never used twice: login tokens and caches hold them.

create table users (
    id bigint not null generated always as identity constraint users_pkey primary key,
    name text collate "C" not null,
    pwhash text collate "C",
    epoch bigint not null,
    profile text collate "C" not null,
    created bigint not null,
    modified bigint
);

create unique index users_name_key on users (name);

create table indexes (
    id bigint not null generated always as identity constraint indexes_pkey primary key,
    user_id bigint not null constraint indexes_user_id_fkey references users (id) on delete cascade,
    name text collate "C" not null,
    config text collate "C" not null,
    private_upstream boolean not null,
    created bigint not null
);

create unique index indexes_user_id_name_key on indexes (user_id, name);
