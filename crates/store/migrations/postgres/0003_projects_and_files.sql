-- What an index holds: projects, their releases, their files, and the paths of files that are gone.

create table projects (
    id bigint not null generated always as identity constraint projects_pkey primary key,
    index_id bigint not null constraint projects_index_id_fkey references indexes (id) on delete cascade,
    name text collate "C" not null,
    created bigint not null
);

create unique index projects_index_id_name_key on projects (index_id, name);

create table releases (
    id bigint not null generated always as identity constraint releases_pkey primary key,
    project_id bigint not null constraint releases_project_id_fkey references projects (id) on delete cascade,
    version text collate "C" not null,
    metadata text collate "C" not null,
    created bigint not null
);

create unique index releases_project_id_version_key on releases (project_id, version);

-- A row names bytes that are durable already. `parent_id` is the file that a tox result is about.
create table files (
    id bigint not null generated always as identity constraint files_pkey primary key,
    project_id bigint not null constraint files_project_id_fkey references projects (id) on delete cascade,
    parent_id bigint constraint files_parent_id_fkey references files (id) on delete cascade,
    version text collate "C" not null,
    filename text collate "C" not null,
    role text collate "C" not null,
    area text collate "C" not null,
    dir text collate "C" not null,
    digest text collate "C" not null,
    size bigint not null,
    hashes text collate "C" not null,
    requires_python text collate "C",
    yanked text collate "C",
    metadata_digest text collate "C",
    uploaded bigint not null,
    last_modified text collate "C",
    url text collate "C",
    log text collate "C" not null
);

create unique index files_project_id_filename_key on files (project_id, filename);
create index files_filename_dir_idx on files (filename, dir);
create index files_parent_id_idx on files (parent_id) where parent_id is not null;

-- By name, since a path stays gone when its index is made again (devpi: 410).
create table tombstones (
    id bigint not null generated always as identity constraint tombstones_pkey primary key,
    index_name text collate "C" not null,
    path text collate "C" not null,
    filename text collate "C" not null,
    removed bigint not null
);

create unique index tombstones_index_name_path_key on tombstones (index_name, path);
create index tombstones_index_name_filename_idx on tombstones (index_name, filename);
