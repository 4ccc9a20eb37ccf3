//! Many callers at once, on PostgreSQL on two nodes (X30 to X34).

#![expect(
    clippy::disallowed_methods,
    reason = "racing callers are tasks of their own"
)]

use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::join_all;
use larder_store::{NewFile, Store};

use crate::bench::Bench;
use crate::samples::{
    at, index, make_index, new_index, new_user, project, release, upload_in, user, wheel,
};

async fn nodes(bench: &Bench) -> [Store; 2] {
    [bench.store.clone(), bench.second_node().await]
}

contract! {
    async fn of_two_who_upload_one_name_exactly_one_wins(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        let nodes = nodes(&bench).await;
        for round in 0..25u8 {
            let name = format!("demo{round}");
            let race = (0..4u8).map(|racer| {
                let store = nodes[usize::from(racer) % 2].clone();
                let file = wheel(dev.id, &name, "1.0", 10 * round + racer);
                tokio::spawn(async move {
                    let mut tx = store.write().await.unwrap();
                    let new = release(file.index_id, file.project.as_str(), "1.0");
                    tx.upsert_release(new, at(1), None).await.unwrap();
                    let digest = file.digest;
                    match tx.insert_file(file, at(1), None).await {
                        Ok(_) => tx.commit().await.map(|_| Some(digest)).unwrap(),
                        Err(error) => {
                            assert!(error.is_conflict(), "{error:?}");
                            None
                        }
                    }
                })
            });
            let outcomes: Vec<_> = join_all(race).await.into_iter().map(Result::unwrap).collect();
            let winners: Vec<_> = outcomes.into_iter().flatten().collect();
            assert_eq!(winners.len(), 1);
            for store in &nodes {
                let files = store.read().await.unwrap().files(&[dev.id], &project(&name)).await.unwrap();
                assert_eq!(files.iter().map(|file| file.digest).collect::<Vec<_>>(), winners);
            }
        }
    }

    async fn uploads_of_one_release_at_once_lose_no_file(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        let nodes = nodes(&bench).await;
        let uploads = (0..40u8).map(|number| {
            let store = nodes[usize::from(number) % 2].clone();
            let filename = format!("demo-1.0-cp3{number}-none-any.whl");
            let file = NewFile { filename, ..wheel(dev.id, "demo", "1.0", number) };
            tokio::spawn(async move {
                let mut tx = store.write().await.unwrap();
                upload_in(&mut tx, file).await;
                tx.commit().await.unwrap()
            })
        });
        let serials = join_all(uploads).await;
        assert!(serials.iter().all(Result::is_ok));
        let mut tx = bench.store.read().await.unwrap();
        assert_eq!(tx.files(&[dev.id], &project("demo")).await.unwrap().len(), 40);
        assert_eq!(tx.releases(dev.id, &project("demo")).await.unwrap().len(), 1);
        assert_eq!(tx.serial().await.unwrap(), 41);
    }

    async fn of_many_who_create_one_name_exactly_one_wins(bench: Bench) {
        let nodes = nodes(&bench).await;
        let race = (0..16usize).map(|racer| {
            let store = nodes[racer % 2].clone();
            tokio::spawn(async move {
                let mut tx = store.write().await.unwrap();
                let outcome = match tx.insert_user(new_user("alice"), at(1), None).await {
                    Ok(_) => tx.insert_index(new_index("alice/dev"), at(1), None).await.map(drop),
                    Err(error) => Err(error),
                };
                tx.commit().await.unwrap();
                outcome.map_err(|error| assert!(error.is_conflict())).is_ok()
            })
        });
        let won = join_all(race).await.into_iter().filter(|won| *won.as_ref().unwrap()).count();
        assert_eq!(won, 1);
        assert_eq!(bench.database.number("select count(*) from indexes").await, 1);
    }

    async fn an_upload_beside_a_deletion_is_whole_or_not_there(bench: Bench) {
        let nodes = nodes(&bench).await;
        for round in 0..15u8 {
            let dev = make_index(&bench.store, "alice/dev").await;
            let [here, there] = nodes.clone();
            let upload = tokio::spawn(async move {
                let mut tx = here.write().await.unwrap();
                let file = wheel(dev.id, "demo", "1.0", round);
                let new = release(dev.id, "demo", "1.0");
                match tx.upsert_release(new, at(1), None).await {
                    Ok(_) => {
                        tx.insert_file(file, at(1), None).await.unwrap();
                        tx.commit().await.map(|_| true).unwrap()
                    }
                    Err(error) => {
                        assert!(error.is_missing(), "{error:?}");
                        false
                    }
                }
            });
            let delete = tokio::spawn(async move {
                let mut tx = there.write().await.unwrap();
                tx.delete_index(dev.id, at(2), None).await.unwrap();
                tx.commit().await.unwrap();
            });
            let (uploaded, deleted) = tokio::join!(upload, delete);
            deleted.unwrap();
            let tombstones = bench.database.number("select count(*) from tombstones").await;
            assert_eq!(tombstones, i64::from(uploaded.unwrap()), "an upload that won was deleted after");
            for table in ["projects", "releases", "files"] {
                assert_eq!(bench.database.number(&format!("select count(*) from {table}")).await, 0);
            }
            bench.database.execute("delete from tombstones").await;
        }
        assert!(bench.store.read().await.unwrap().find_user(&user("alice")).await.unwrap().is_some());
        assert_eq!(bench.store.read().await.unwrap().find_index(&index("alice/dev")).await.unwrap(), None);
    }

    async fn serials_become_visible_in_their_order(bench: Bench) {
        let nodes = nodes(&bench).await;
        let writers = (0..30usize).map(|number| {
            let store = nodes[number % 2].clone();
            tokio::spawn(async move {
                let mut tx = store.write().await.unwrap();
                tx.insert_user(new_user(&format!("u{number}")), at(1), None).await.unwrap();
                tx.commit().await.unwrap()
            })
        });
        let writing = tokio::spawn(join_all(writers));
        let mut seen = 0;
        while seen < 30 {
            let known = nodes[1].current_serial().await.unwrap();
            let mut tx = nodes[0].read().await.unwrap();
            let serial = tx.serial().await.unwrap();
            assert!(serial >= known && serial >= seen, "{serial} after {known} and {seen}");
            let changes = tx.changes_since(0).await.unwrap();
            let serials: Vec<u64> = changes.into_iter().map(|(serial, _)| serial).collect();
            assert_eq!(serials, (1..=serial).collect::<Vec<u64>>(), "no gap that fills later");
            seen = serial;
        }
        writing.await.unwrap();
    }

    async fn the_current_serial_is_never_older_than_an_acknowledged_change(bench: Bench) {
        let nodes = nodes(&bench).await;
        let acknowledged = std::sync::Arc::new(AtomicU64::new(0));
        let asking = (0..8usize).map(|number| {
            let (store, acknowledged) = (nodes[number % 2].clone(), acknowledged.clone());
            tokio::spawn(async move {
                while acknowledged.load(Ordering::SeqCst) < 30 {
                    let before = acknowledged.load(Ordering::SeqCst);
                    let serial = store.current_serial().await.unwrap();
                    assert!(serial >= before, "{serial} after {before} was acknowledged");
                    // SQLite answers without ever waiting.
                    tokio::task::yield_now().await;
                }
            })
        });
        let asking: Vec<_> = asking.collect();
        for number in 0..30usize {
            let mut tx = nodes[number % 2].write().await.unwrap();
            tx.insert_user(new_user(&format!("u{number}")), at(1), None).await.unwrap();
            acknowledged.store(tx.commit().await.unwrap(), Ordering::SeqCst);
        }
        join_all(asking).await.into_iter().for_each(Result::unwrap);
    }
}
