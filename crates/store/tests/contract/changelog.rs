//! The serial and the log of changes.

use larder_model::UserName;
use larder_store::{Change, Scope};
use serde_json::json;

use crate::samples::{
    at, cached_wheel, index, make_index, make_user, object, page, project, release, user, wheel,
};

fn in_project(name: &str) -> Scope {
    Scope::Project {
        index: index("alice/dev"),
        project: project(name),
    }
}

contract! {
    async fn a_transaction_raises_the_serial_once_whatever_it_changes(bench: Bench) {
        let mut tx = bench.store.write().await.unwrap();
        assert_eq!(tx.serial().await.unwrap(), 0, "an empty database");
        make_user(&mut tx, "alice").await;
        assert_eq!(tx.serial().await.unwrap(), 1);
        make_user(&mut tx, "bob").await;
        assert_eq!(tx.serial().await.unwrap(), 1);
        assert_eq!(tx.commit().await.unwrap(), 1);
        let mut tx = bench.store.write().await.unwrap();
        make_user(&mut tx, "carol").await;
        assert_eq!(tx.commit().await.unwrap(), 2);
        assert_eq!(bench.store.current_serial().await.unwrap(), 2);
        assert_eq!(bench.store.read().await.unwrap().serial().await.unwrap(), 2);
    }

    async fn the_last_change_has_its_time(bench: Bench) {
        let mut tx = bench.store.write().await.unwrap();
        assert_eq!(tx.last_change().await.unwrap(), None, "an empty database");
        let alice = make_user(&mut tx, "alice").await;
        tx.set_password(alice.id, None, at(7), None).await.unwrap();
        assert_eq!(tx.last_change().await.unwrap(), Some(at(7)), "its own change included");
        tx.commit().await.unwrap();
        let mut tx = bench.store.write().await.unwrap();
        tx.set_password(alice.id, None, at(3), None).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = bench.store.read().await.unwrap();
        assert_eq!(tx.last_change().await.unwrap(), Some(at(3)), "the last, not the latest");
    }

    async fn what_is_rolled_back_leaves_no_trace(bench: Bench) {
        let mut tx = bench.store.write().await.unwrap();
        make_user(&mut tx, "alice").await;
        drop(tx);
        let mut tx = bench.store.write().await.unwrap();
        assert_eq!(tx.serial().await.unwrap(), 0);
        assert_eq!(tx.users().await.unwrap(), []);
        assert_eq!(tx.audit_log(0, 10).await.unwrap(), []);
        assert_eq!(bench.store.current_serial().await.unwrap(), 0);
    }

    async fn every_change_leaves_its_row_in_the_same_transaction(bench: Bench) {
        let (root, alice) = (user("root"), user("alice"));
        let mut tx = bench.store.write().await.unwrap();
        let made = tx.insert_user(crate::samples::new_user("alice"), at(1), Some(&root)).await.unwrap();
        tx.update_user(made.id, &object(json!({})), at(2), Some(&alice)).await.unwrap();
        tx.set_password(made.id, Some("secret hash"), at(3), Some(&alice)).await.unwrap();
        let dev = tx.insert_index(crate::samples::new_index("alice/dev"), at(4), Some(&alice)).await.unwrap();
        let config = object(json!({"mirror_url": "https://u:secret@example.com/"}));
        tx.update_index(dev.id, &config, false, at(5), Some(&alice)).await.unwrap();
        tx.upsert_release(release(dev.id, "demo", "1.0"), at(6), Some(&alice)).await.unwrap();
        let file = tx.insert_file(wheel(dev.id, "demo", "1.0", 1), at(7), Some(&alice)).await.unwrap();
        tx.remove_file(file.id, at(8), Some(&alice)).await.unwrap();
        tx.remove_release(dev.id, &project("demo"), "1.0", at(9), Some(&alice)).await.unwrap();
        tx.remove_project(dev.id, &project("demo"), at(10), Some(&alice)).await.unwrap();
        tx.put_mirror_page(dev.id, page("other", 1)).await.unwrap();
        tx.insert_cached_file(cached_wheel(dev.id, "other", "1.0", 2), at(12)).await.unwrap();
        tx.delete_index(dev.id, at(13), Some(&alice)).await.unwrap();
        tx.delete_user(made.id, at(14), Some(&root)).await.unwrap();
        tx.commit().await.unwrap();
        let log = bench.store.read().await.unwrap().audit_log(0, 100).await.unwrap();
        let told: Vec<(&str, Option<&str>, &Scope)> = log
            .iter()
            .map(|entry| (entry.what.as_str(), entry.who.as_ref().map(UserName::as_str), &entry.scope))
            .collect();
        let (demo, other) = (&in_project("demo"), &in_project("other"));
        assert_eq!(told, [
            ("user created", Some("root"), &Scope::Config),
            ("user changed", Some("alice"), &Scope::Config),
            ("password changed", Some("alice"), &Scope::Config),
            ("index created", Some("alice"), &Scope::Config),
            ("index changed", Some("alice"), &Scope::Config),
            ("release registered", Some("alice"), demo),
            ("file added", Some("alice"), demo),
            ("file removed", Some("alice"), demo),
            ("release removed", Some("alice"), demo),
            ("project removed", Some("alice"), demo),
            ("page refreshed", None, other),
            ("file cached", None, other),
            ("index deleted", Some("alice"), &Scope::Config),
            ("user deleted", Some("root"), &Scope::Config),
        ]);
        assert!(log.iter().all(|entry| entry.serial == 1));
        assert_eq!(log[0].at, at(1));
        assert_eq!(log[6].detail, object(json!({"file": "demo-1.0-py3-none-any.whl"})));
        assert!(!format!("{log:?}").contains("secret"));
    }

    async fn caches_learn_what_changed_since_they_looked(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        for name in ["demo", "other"] {
            let mut tx = bench.store.write().await.unwrap();
            tx.upsert_release(release(dev.id, name, "1.0"), at(1), None).await.unwrap();
            tx.upsert_release(release(dev.id, name, "2.0"), at(1), None).await.unwrap();
            tx.commit().await.unwrap();
        }
        let mut tx = bench.store.read().await.unwrap();
        let all = [(1, Scope::Config), (2, in_project("demo")), (3, in_project("other"))];
        assert_eq!(tx.changes_since(0).await.unwrap(), all, "each once per serial");
        assert_eq!(tx.changes_since(2).await.unwrap(), all[2..]);
        assert_eq!(tx.changes_since(3).await.unwrap(), []);
        assert_eq!(tx.changes_since(u64::MAX).await.unwrap(), []);
    }

    async fn the_log_is_read_in_portions_of_whole_transactions(bench: Bench) {
        for names in [&["a", "b", "c"][..], &["d"], &["e", "f"]] {
            let mut tx = bench.store.write().await.unwrap();
            for name in names {
                make_user(&mut tx, name).await;
            }
            tx.commit().await.unwrap();
        }
        let mut tx = bench.store.read().await.unwrap();
        let mut serials = async |after, limit| -> Vec<u64> {
            tx.audit_log(after, limit).await.unwrap().iter().map(|entry| entry.serial).collect()
        };
        assert_eq!(serials(0, 1).await, [1, 1, 1]);
        assert_eq!(serials(0, 4).await, [1, 1, 1, 2]);
        assert_eq!(serials(1, 2).await, [2, 3, 3]);
        assert_eq!(serials(3, 5).await, [0u64; 0]);
        assert_eq!(serials(0, 0).await, [0u64; 0]);
    }

    async fn other_events_can_be_put_on_record(bench: Bench) {
        let mut tx = bench.store.write().await.unwrap();
        let change = Change {
            at: at(5),
            who: Some(user("alice")),
            scope: in_project("demo"),
            what: "file pushed",
            detail: object(json!({"to": "https://example.com/"})),
        };
        assert_eq!(tx.log(change.clone()).await.unwrap(), 1);
        assert_eq!(tx.log(Change { scope: Scope::Config, who: None, ..change }).await.unwrap(), 1);
        tx.commit().await.unwrap();
        let log = bench.store.read().await.unwrap().audit_log(0, 10).await.unwrap();
        assert_eq!((log[0].at, log[0].who.clone()), (at(5), Some(user("alice"))));
        assert_eq!(log[0].detail, object(json!({"to": "https://example.com/"})));
        assert_eq!((&log[1].scope, &log[1].who), (&Scope::Config, &None));
    }

    async fn the_log_outlives_what_it_speaks_of(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        let mut tx = bench.store.write().await.unwrap();
        tx.upsert_release(release(dev.id, "demo", "1.0"), at(1), None).await.unwrap();
        let alice = tx.find_user(&user("alice")).await.unwrap().unwrap();
        tx.delete_user(alice.id, at(2), None).await.unwrap();
        tx.commit().await.unwrap();
        let changes = bench.store.read().await.unwrap().changes_since(1).await.unwrap();
        assert_eq!(changes, [(2, Scope::Config), (2, in_project("demo"))]);
    }
}
