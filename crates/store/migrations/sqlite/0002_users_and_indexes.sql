-- Ids are never used twice: login tokens and caches hold them.

create table users (
    id integer not null constraint users_pkey primary key autoincrement,
    name text not null,
    pwhash text,
    epoch bigint not null,
    profile text not null,
    created bigint not null,
    modified bigint
);

create unique index users_name_key on users (name);

create table indexes (
    id integer not null constraint indexes_pkey primary key autoincrement,
    user_id bigint not null constraint indexes_user_id_fkey references users (id) on delete cascade,
    name text not null,
    config text not null,
    private_upstream boolean not null,
    created bigint not null
);

create unique index indexes_user_id_name_key on indexes (user_id, name);
