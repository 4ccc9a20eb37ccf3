-- What a mirror knows of its upstream. One row holds a whole page: it is read and replaced whole.

create table mirror_pages (
    project_id bigint not null constraint mirror_pages_pkey primary key
        constraint mirror_pages_project_id_fkey references projects (id) on delete cascade,
    etag text collate "C",
    last_modified text collate "C",
    upstream_serial bigint,
    fetched bigint not null,
    page bytea not null
);

-- Metadata files of wheels that are not cached themselves, by the wheel's path below the index.
create table sidecars (
    id bigint not null generated always as identity constraint sidecars_pkey primary key,
    index_id bigint not null constraint sidecars_index_id_fkey references indexes (id) on delete cascade,
    path text collate "C" not null,
    digest text collate "C" not null
);

create unique index sidecars_index_id_path_key on sidecars (index_id, path);
