//! Databases that are not there, go away, or are not what they should be.

use std::net::TcpListener;

use futures_util::FutureExt;
use larder_store::{Error, Store};
use sqlx::{Connection, PgConnection};

use crate::bench::{Bench, Database, drop_postgres, on_postgres, postgres_server, unique_name};
use crate::samples::{make_index, make_user, user};

async fn open_file(path: &std::path::Path) -> Error {
    Store::open_sqlite(path).await.expect_err("no database")
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    for path in [
        folder.path().join("missing/larder.sqlite"),
        folder.path().to_path_buf(),
    ] {
        let error = open_file(&path).await;
        assert!(matches!(error, Error::Open(_)), "{error:?}");
        assert_eq!(error.to_string(), "the database cannot be opened");
    }
}

#[tokio::test]
async fn a_healthy_database_never_says_that_a_flush_failed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_sqlite(&folder.path().join("larder.sqlite"))
        .await
        .unwrap();
    assert!(store.until_flush_fails().now_or_never().is_none());
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("larder.sqlite");
    std::fs::write(&path, "dear diary ".repeat(1000)).unwrap();
    let error = open_file(&path).await;
    assert!(matches!(error, Error::Damaged(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "the database file is damaged: restore it from a backup"
    );
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "dear diary ".repeat(1000)
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("postgres://larder:secret@127.0.0.1:{port}/larder");
    let error = Store::open_postgres(&url).await.unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
    assert!(!format!("{error:?} {error}").contains("secret"));
}

#[tokio::test]
async fn a_url_that_is_none_is_refused_without_showing_it() {
    let error = Store::open_postgres("postgres://larder:secret@host:port/larder")
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Open(_)), "{error:?}");
    assert!(!format!("{error:?} {error}").contains("secret"));
}

#[tokio::test]
async fn a_database_in_another_encoding_is_refused() {
    let Some(server) = postgres_server() else {
        return;
    };
    let name = unique_name("ascii");
    let options = "template template0 encoding 'SQL_ASCII' locale 'C'";
    crate::bench::admin(&server, &format!("create database {name} {options}")).await;
    let url = crate::bench::in_database(&server, &name);
    let error = Store::open_postgres(url.as_str()).await.unwrap_err();
    drop_postgres(&server, &url).await;
    assert_eq!(
        error.to_string(),
        "the database is encoded in SQL_ASCII: create it with encoding UTF8"
    );
}

/// Cuts every connection of the store, as a restart of the server does.
async fn cut(bench: &Bench) {
    let Database::Postgres(url) = &bench.database else {
        return;
    };
    let mut connection = PgConnection::connect(url.as_str()).await.unwrap();
    let others = "select pg_terminate_backend(pid, 5000) from pg_stat_activity \
         where datname = current_database() and pid <> pg_backend_pid()";
    sqlx::query(others).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_of_the_server_the_next_caller_notices_nothing() {
    on_postgres(async |bench: Bench| {
        make_index(&bench.store, "alice/dev").await;
        for _ in 0..3 {
            // Several connections, all idle for less than a test on use would need.
            let open = (0..10).map(|_| async { bench.store.read().await.unwrap() });
            drop(futures_util::future::join_all(open).await);
            cut(&bench).await;
            assert_eq!(
                bench
                    .store
                    .read()
                    .await
                    .unwrap()
                    .users()
                    .await
                    .unwrap()
                    .len(),
                1
            );
            cut(&bench).await;
            let tx = bench.store.write().await.unwrap();
            tx.commit().await.unwrap();
            cut(&bench).await;
            assert_eq!(bench.store.current_serial().await.unwrap(), 1);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_loses_its_connection_never_was() {
    on_postgres(async |bench: Bench| {
        let mut tx = bench.store.write().await.unwrap();
        make_user(&mut tx, "alice").await;
        cut(&bench).await;
        let error = tx.find_user(&user("alice")).await.unwrap_err();
        assert!(error.is_unavailable(), "{error:?}");
        assert!(matches!(tx.commit().await.unwrap_err(), Error::Aborted));
        let mut tx = bench.store.write().await.unwrap();
        make_user(&mut tx, "alice").await;
        cut(&bench).await;
        let error = tx.commit().await.unwrap_err();
        assert!(error.is_unavailable(), "{error:?}");
        let mut tx = bench.store.write().await.unwrap();
        assert_eq!(tx.users().await.unwrap(), []);
        make_user(&mut tx, "alice").await;
        assert_eq!(tx.commit().await.unwrap(), 1);
    })
    .await;
}
