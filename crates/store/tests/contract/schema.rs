//! Both engines have the same tables, columns, unique indexes and references.

use std::collections::BTreeSet;

use sqlx::{Connection, PgConnection};

use crate::bench::{Bench, Database, on_postgres, on_sqlite, postgres_server, sqlite_connection};

/// Columns: table, name, type, nullability. Indexes: table, name, uniqueness,
/// columns. References: table, column, what it refers to, what a deletion does.
type Schema = BTreeSet<String>;

async fn sqlite_schema(bench: &Bench) -> Schema {
    let Database::Sqlite(path) = &bench.database else {
        panic!("not SQLite")
    };
    let mut connection = sqlite_connection(path).await;
    let lines: Vec<(String,)> = sqlx::query_as(
        "with tables as (select name from sqlite_master where type = 'table' \
             and name not like 'sqlite!_%' escape '!' and name <> '_sqlx_migrations') \
         select t.name || '.' || c.name || ' ' || lower(c.type) || case when c.\"notnull\" then ' not null' else '' end \
             from tables t, pragma_table_info(t.name) c \
         union all select t.name || ' ' || case when i.\"unique\" then 'unique ' else '' end || i.name || ' (' || \
             (select group_concat(name, ', ') from (select name from pragma_index_info(i.name) order by seqno)) || ')' \
             from tables t, pragma_index_list(t.name) i where i.origin = 'c' \
         union all select t.name || '.' || f.\"from\" || ' references ' || f.\"table\" || '.' || f.\"to\" || ' ' || lower(f.on_delete) \
             from tables t, pragma_foreign_key_list(t.name) f",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    let same_type = |line: String| {
        line.replace(" integer", " bigint")
            .replace(" blob", " bytea")
    };
    lines.into_iter().map(|(line,)| same_type(line)).collect()
}

async fn postgres_schema(bench: &Bench) -> Schema {
    let Database::Postgres(url) = &bench.database else {
        panic!("not PostgreSQL")
    };
    let mut connection = PgConnection::connect(url.as_str()).await.unwrap();
    let lines: Vec<(String,)> = sqlx::query_as(
        "select table_name || '.' || column_name || ' ' || data_type || case when is_nullable = 'NO' then ' not null' else '' end \
             from information_schema.columns where table_schema = 'public' and table_name <> '_sqlx_migrations' \
         union all select t.relname || ' ' || case when i.indisunique then 'unique ' else '' end || n.relname || ' (' || \
             (select string_agg(a.attname, ', ' order by k.place) from unnest(i.indkey) with ordinality k (number, place) \
              join pg_attribute a on a.attrelid = t.oid and a.attnum = k.number) || ')' \
             from pg_index i join pg_class t on t.oid = i.indrelid join pg_class n on n.oid = i.indexrelid \
             join pg_namespace s on s.oid = t.relnamespace \
             where s.nspname = 'public' and not i.indisprimary and t.relname <> '_sqlx_migrations' \
         union all select t.relname || '.' || a.attname || ' references ' || r.relname || '.' || b.attname || \
             case c.confdeltype when 'c' then ' cascade' else ' other' end \
             from pg_constraint c join pg_class t on t.oid = c.conrelid join pg_class r on r.oid = c.confrelid \
             join pg_attribute a on a.attrelid = t.oid and a.attnum = c.conkey[1] \
             join pg_attribute b on b.attrelid = r.oid and b.attnum = c.confkey[1] where c.contype = 'f'",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    lines.into_iter().map(|(line,)| line).collect()
}

#[tokio::test]
async fn both_engines_have_the_same_schema() {
    on_sqlite(async |sqlite: Bench| {
        let expected = sqlite_schema(&sqlite).await;
        for line in [
            "users.id bigint not null",
            "users.modified bigint",
            "files.parent_id references files.id cascade",
            "users unique users_name_key (name)",
            "indexes unique indexes_user_id_name_key (user_id, name)",
            "files unique files_project_id_filename_key (project_id, filename)",
        ] {
            assert!(expected.contains(line), "{line} in {expected:#?}");
        }
        on_postgres(async |postgres: Bench| {
            let found = postgres_schema(&postgres).await;
            let difference: Vec<&String> = expected.symmetric_difference(&found).collect();
            assert!(difference.is_empty(), "only one engine has {difference:#?}");
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn text_is_compared_byte_by_byte_on_postgres() {
    if postgres_server().is_none() {
        return;
    }
    on_postgres(async |bench: Bench| {
        let query = "select count(*) from information_schema.columns where table_schema = 'public' \
             and table_name <> '_sqlx_migrations' and data_type = 'text' and collation_name is distinct from 'C'";
        assert_eq!(bench.database.number(query).await, 0);
    })
    .await;
}
