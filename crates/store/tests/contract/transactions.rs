//! What a transaction sees, and what becomes of it.

#![expect(
    clippy::disallowed_methods,
    reason = "racing callers are tasks of their own"
)]

use futures_util::FutureExt;
use futures_util::future::join_all;
use larder_store::Error;
use serde_json::json;

use crate::samples::{at, make_index, make_user, new_user, object, user};

contract! {
    async fn a_reader_sees_one_snapshot(bench: Bench) {
        let mut reader = bench.store.read().await.unwrap();
        assert_eq!(reader.serial().await.unwrap(), 0);
        make_index(&bench.store, "alice/dev").await;
        assert_eq!(reader.users().await.unwrap(), []);
        assert_eq!(reader.indexes().await.unwrap(), []);
        assert_eq!(reader.changes_since(0).await.unwrap(), []);
        assert_eq!(reader.commit().await.unwrap(), 0);
        assert_eq!(bench.store.read().await.unwrap().users().await.unwrap().len(), 1);
    }

    async fn nobody_sees_what_is_not_committed(bench: Bench) {
        let mut writer = bench.store.write().await.unwrap();
        make_user(&mut writer, "alice").await;
        let mut reader = bench.store.read().await.unwrap();
        assert_eq!(reader.users().await.unwrap(), []);
        assert_eq!(bench.store.current_serial().await.unwrap(), 0);
        writer.commit().await.unwrap();
        assert_eq!(bench.store.current_serial().await.unwrap(), 1);
        assert_eq!(reader.users().await.unwrap(), [], "still the same snapshot");
    }

    async fn readers_do_not_wait_for_a_writer(bench: Bench) {
        let mut writer = bench.store.write().await.unwrap();
        make_user(&mut writer, "alice").await;
        let reads = (0..20).map(|_| async { bench.store.read().await.unwrap().serial().await.unwrap() });
        assert_eq!(join_all(reads).await, [0; 20]);
        writer.commit().await.unwrap();
    }

    async fn a_reader_cannot_change_anything(bench: Bench) {
        let mut reader = bench.store.read().await.unwrap();
        assert!(reader.insert_user(new_user("alice"), at(1), None).await.is_err());
        drop(reader);
        assert_eq!(bench.database.number("select count(*) from users").await, 0);
    }

    async fn after_a_failed_statement_nothing_follows_and_nothing_stays(bench: Bench) {
        bench.database.execute("alter table changelog rename to elsewhere").await;
        let mut tx = bench.store.write().await.unwrap();
        // The user's row is written; its row in the log is not.
        let error = tx.insert_user(new_user("alice"), at(1), None).await.unwrap_err();
        assert!(matches!(error, Error::Database(_)), "{error:?}");
        assert!(std::error::Error::source(&error).is_some());
        assert!(matches!(tx.users().await.unwrap_err(), Error::Aborted));
        assert!(matches!(tx.commit().await.unwrap_err(), Error::Aborted));
        assert_eq!(bench.database.number("select count(*) from users").await, 0);
        bench.database.execute("alter table elsewhere rename to changelog").await;
        let mut tx = bench.store.write().await.unwrap();
        make_user(&mut tx, "alice").await;
        assert_eq!(tx.commit().await.unwrap(), 1);
    }

    async fn what_a_writer_read_stays_true_until_it_commits(bench: Bench) {
        let mut tx = bench.store.write().await.unwrap();
        let alice = make_user(&mut tx, "alice").await;
        tx.update_user(alice.id, &object(json!({"count": 0})), at(1), None).await.unwrap();
        tx.commit().await.unwrap();
        let nodes = [bench.store.clone(), bench.second_node().await];
        let raise = |node: usize| {
            let store = nodes[node % 2].clone();
            async move {
                let mut tx = store.write().await.unwrap();
                let found = tx.find_user(&user("alice")).await.unwrap().unwrap();
                let count = found.profile["count"].as_u64().unwrap() + 1;
                tx.update_user(found.id, &object(json!({"count": count})), at(2), None).await.unwrap();
                tx.commit().await.unwrap()
            }
        };
        let mut serials = join_all((0..40).map(|node| tokio::spawn(raise(node)))).await;
        serials.sort_by_key(|serial| *serial.as_ref().unwrap());
        let serials: Vec<u64> = serials.into_iter().map(|serial| serial.unwrap()).collect();
        assert_eq!(serials, (2..42).collect::<Vec<u64>>());
        let found = bench.store.read().await.unwrap().find_user(&user("alice")).await.unwrap().unwrap();
        assert_eq!(found.profile["count"], 40);
    }

    async fn a_commit_whose_caller_leaves_is_carried_out_and_known(bench: Bench) {
        let mut tx = bench.store.write().await.unwrap();
        make_user(&mut tx, "alice").await;
        let committing = tx.commit();
        // Polled once, then dropped: a client that hangs up.
        assert!(committing.now_or_never().is_none());
        let mut next = bench.store.write().await.unwrap();
        assert_eq!(next.serial().await.unwrap(), 1);
        assert_eq!(bench.store.current_serial().await.unwrap(), 1);
    }

    async fn a_caller_who_leaves_in_the_middle_undoes_everything(bench: Bench) {
        let store = bench.store.clone();
        let leaving = async {
            let mut tx = store.write().await.unwrap();
            make_user(&mut tx, "alice").await;
            std::future::pending::<()>().await;
        };
        let waiting = async {
            // Gets its turn only when the other one is gone.
            let mut tx = bench.store.write().await.unwrap();
            assert_eq!(tx.users().await.unwrap(), []);
            tx.commit().await.unwrap()
        };
        let mut leaving = Box::pin(leaving);
        while bench.database.number(open_writers(&bench)).await == 0 {
            assert!((&mut leaving).now_or_never().is_none());
        }
        drop(leaving);
        assert_eq!(waiting.await, 0);
    }

    async fn an_installation_keeps_its_identity(bench: Bench) {
        let identity = bench.store.identity().clone();
        assert_eq!(identity.uuid.len(), 32);
        assert_ne!(identity.secret, [0; 32]);
        assert_eq!(bench.second_node().await.identity(), &identity);
        bench.store.close().await;
        assert_eq!(bench.database.open().await.unwrap().identity(), &identity);
    }

    async fn a_closed_store_is_unavailable(bench: Bench) {
        make_index(&bench.store, "alice/dev").await;
        bench.store.close().await;
        assert!(bench.store.read().await.unwrap_err().is_unavailable());
        assert!(bench.store.write().await.unwrap_err().is_unavailable());
        let again = bench.database.open().await.unwrap();
        assert_eq!(again.current_serial().await.unwrap(), 1);
    }
}

/// 1 as soon as a write transaction has begun to write. SQLite shows none to
/// others, so there one poll has to do.
fn open_writers(bench: &crate::bench::Bench) -> &'static str {
    match bench.database {
        crate::bench::Database::Sqlite(_) => "select 1",
        crate::bench::Database::Postgres(_) => {
            "select count(*) from pg_locks where relation = 'users'::regclass and mode = 'RowExclusiveLock'"
        }
    }
}
