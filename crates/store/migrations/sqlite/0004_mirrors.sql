-- What a mirror knows of its upstream. One row holds a whole page: it is read and replaced whole.

create table mirror_pages (
    project_id bigint not null constraint mirror_pages_pkey primary key
        constraint mirror_pages_project_id_fkey references projects (id) on delete cascade,
    etag text,
    last_modified text,
    upstream_serial bigint,
    fetched bigint not null,
    page blob not null
);

-- Metadata files of wheels that are not cached themselves, by the wheel's path below the index.
create table sidecars (
    id integer not null constraint sidecars_pkey primary key autoincrement,
    index_id bigint not null constraint sidecars_index_id_fkey references indexes (id) on delete cascade,
    path text not null,
    digest text not null
);

create unique index sidecars_index_id_path_key on sidecars (index_id, path);
