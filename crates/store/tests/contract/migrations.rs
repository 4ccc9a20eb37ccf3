//! Opening, creating, upgrading.

#![expect(
    clippy::disallowed_methods,
    reason = "racing callers are tasks of their own"
)]

use std::os::unix::fs::PermissionsExt;

use futures_util::future::join_all;
use larder_store::{Error, Store};

use crate::bench::{Database, drop_postgres, empty_postgres, on_sqlite, postgres_server};
use crate::samples::make_index;

contract! {
    async fn a_database_is_opened_again_with_all_it_holds(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        bench.store.close().await;
        let store = bench.database.open().await.unwrap();
        assert_eq!(store.current_serial().await.unwrap(), 1);
        let found = store.read().await.unwrap().find_index(&dev.name).await.unwrap();
        assert_eq!(found, Some(dev));
    }

    async fn a_newer_database_is_refused_and_left_alone(bench: Bench) {
        make_index(&bench.store, "alice/dev").await;
        bench.store.close().await;
        let known = bench.database.number("select max(version) from _sqlx_migrations").await;
        bench.database.execute(
            "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
             select version + 7, 'of the future', success, checksum, 1 from _sqlx_migrations where version = 1",
        ).await;
        let error = bench.database.open().await.unwrap_err();
        let Error::TooNew { found, known: mine } = error else { panic!("{error:?}") };
        assert_eq!((found, mine), (8, known));
        assert!(error.to_string().contains("start the newer Larder"), "{error}");
        assert_eq!(bench.database.number("select count(*) from indexes").await, 1);
    }

    async fn a_migration_that_changed_since_it_ran_is_refused(bench: Bench) {
        bench.store.close().await;
        bench.database.execute("update _sqlx_migrations set checksum = \
            (select checksum from _sqlx_migrations where version = 2) where version = 1").await;
        let error = bench.database.open().await.unwrap_err();
        assert!(matches!(error, Error::Migration(_)), "{error:?}");
    }
}

#[tokio::test]
async fn the_files_of_sqlite_are_for_their_owner_only() {
    on_sqlite(async |bench| {
        make_index(&bench.store, "alice/dev").await;
        let Database::Sqlite(path) = &bench.database else {
            panic!("not SQLite")
        };
        let files: Vec<_> = path
            .parent()
            .unwrap()
            .read_dir()
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(files.len(), 3, "{files:?}");
        for file in files {
            let mode = file.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{:?}", file.file_name());
        }
        bench.store.close().await;
        let left: Vec<_> = path.parent().unwrap().read_dir().unwrap().collect();
        assert_eq!(left.len(), 1, "the WAL is folded in: {left:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_together_migrate_once() {
    let Some(server) = postgres_server() else {
        return;
    };
    let url = empty_postgres(&server).await;
    let nodes = (0..6).map(|_| {
        let url = url.clone();
        tokio::spawn(async move { Store::open_postgres(url.as_str()).await.unwrap() })
    });
    let nodes: Vec<Store> = join_all(nodes)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert!(
        nodes
            .iter()
            .all(|node| node.identity() == nodes[0].identity())
    );
    let applied = Database::Postgres(url.clone())
        .number("select count(*) from _sqlx_migrations")
        .await;
    drop_postgres(&server, &url).await;
    assert_eq!(applied, 5);
}
