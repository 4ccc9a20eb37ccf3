-- An upload looks at its own release, a page of documentation at its archive, however many files the project has.

create index files_project_id_version_idx on files (project_id, version);
create index files_project_id_doczip_idx on files (project_id) where role = 'doczip';
