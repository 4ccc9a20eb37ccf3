-- An upload looks at its own release, however many files the project has.

create index files_project_id_version_idx on files (project_id, version);
