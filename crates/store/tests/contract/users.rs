//! Users.

use serde_json::json;

use crate::samples::{at, index, make_index, make_user, new_user, object, user};

contract! {
    async fn a_user_is_stored_and_found(bench: Bench) {
        let mut tx = bench.store.write().await.unwrap();
        let made = tx.insert_user(new_user("alice"), at(7), Some(&user("root"))).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = bench.store.read().await.unwrap();
        let found = tx.find_user(&user("alice")).await.unwrap().unwrap();
        assert_eq!(found, made);
        assert_eq!((found.epoch, found.created, found.modified), (0, at(7), None));
        assert_eq!(found.pwhash.as_deref(), Some("hash of alice"));
        assert_eq!(found.profile, object(json!({"email": "alice@example.com"})));
        assert_eq!(tx.find_user(&user("ALICE")).await.unwrap(), None, "names are case-sensitive");
    }

    async fn users_are_listed_by_name_in_byte_order(bench: Bench) {
        let mut tx = bench.store.write().await.unwrap();
        for name in ["bob", "Zoë", "alice", "_x", "é", "Bob", "a.b", "a-b", "ab"] {
            make_user(&mut tx, name).await;
        }
        let names: Vec<String> =
            tx.users().await.unwrap().into_iter().map(|user| user.name.to_string()).collect();
        assert_eq!(names, ["Bob", "Zoë", "_x", "a-b", "a.b", "ab", "alice", "bob", "é"]);
    }

    async fn a_taken_name_is_a_conflict_and_the_transaction_goes_on(bench: Bench) {
        let mut tx = bench.store.write().await.unwrap();
        make_user(&mut tx, "alice").await;
        let error = tx.insert_user(new_user("alice"), at(1), None).await.unwrap_err();
        assert!(error.is_conflict());
        assert!(error.to_string().contains("users_name_key"), "{error}");
        make_user(&mut tx, "bob").await;
        tx.commit().await.unwrap();
        assert_eq!(bench.store.read().await.unwrap().users().await.unwrap().len(), 2);
    }

    async fn a_profile_is_replaced(bench: Bench) {
        let mut tx = bench.store.write().await.unwrap();
        let alice = make_user(&mut tx, "alice").await;
        let profile = object(json!({"title": "T", "custom_data": {"a": [1, null, "ü"]}}));
        tx.update_user(alice.id, &profile, at(3), Some(&alice.name)).await.unwrap();
        let found = tx.find_user(&alice.name).await.unwrap().unwrap();
        assert_eq!((found.profile, found.modified, found.epoch), (profile, Some(at(3)), 0));
    }

    async fn a_new_password_ends_logins(bench: Bench) {
        let mut tx = bench.store.write().await.unwrap();
        let alice = make_user(&mut tx, "alice").await;
        tx.set_password(alice.id, Some("new"), at(3), None).await.unwrap();
        let found = tx.find_user(&alice.name).await.unwrap().unwrap();
        assert_eq!((found.pwhash.as_deref(), found.epoch), (Some("new"), 1));
        assert_eq!(found.modified, Some(at(3)));
        tx.set_password(alice.id, None, at(4), None).await.unwrap();
        let found = tx.find_user(&alice.name).await.unwrap().unwrap();
        assert_eq!((found.pwhash, found.epoch), (None, 2));
    }

    async fn a_better_hash_changes_nothing_that_shows(bench: Bench) {
        let mut tx = bench.store.write().await.unwrap();
        let alice = make_user(&mut tx, "alice").await;
        let before = tx.commit().await.unwrap();
        let mut tx = bench.store.write().await.unwrap();
        assert!(tx.rehash_password(alice.id, "hash of alice", "better").await.unwrap());
        assert_eq!(tx.commit().await.unwrap(), before);
        let mut tx = bench.store.write().await.unwrap();
        let found = tx.find_user(&alice.name).await.unwrap().unwrap();
        assert_eq!((found.pwhash.as_deref(), found.epoch, found.modified), (Some("better"), 0, None));
    }

    async fn a_better_hash_never_brings_an_old_password_back(bench: Bench) {
        let mut tx = bench.store.write().await.unwrap();
        let alice = make_user(&mut tx, "alice").await;
        tx.set_password(alice.id, Some("changed meanwhile"), at(1), None).await.unwrap();
        assert!(!tx.rehash_password(alice.id, "hash of alice", "better").await.unwrap());
        let found = tx.find_user(&alice.name).await.unwrap().unwrap();
        assert_eq!(found.pwhash.as_deref(), Some("changed meanwhile"));
    }

    async fn a_deleted_user_takes_the_indexes_along(bench: Bench) {
        make_index(&bench.store, "alice/dev").await;
        make_index(&bench.store, "alice/prod").await;
        make_index(&bench.store, "bob/dev").await;
        let mut tx = bench.store.write().await.unwrap();
        let alice = tx.find_user(&user("alice")).await.unwrap().unwrap();
        tx.delete_user(alice.id, at(9), Some(&user("root"))).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = bench.store.read().await.unwrap();
        assert_eq!(tx.find_user(&user("alice")).await.unwrap(), None);
        let left: Vec<_> = tx.indexes().await.unwrap().into_iter().map(|row| row.name).collect();
        assert_eq!(left, [index("bob/dev")]);
    }

    async fn an_id_is_never_used_twice(bench: Bench) {
        let mut tx = bench.store.write().await.unwrap();
        let first = make_user(&mut tx, "alice").await;
        tx.delete_user(first.id, at(1), None).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = bench.store.write().await.unwrap();
        let second = make_user(&mut tx, "alice").await;
        assert!(second.id > first.id, "a token of the first alice must not fit the second");
    }

    async fn users_who_are_gone_cannot_be_changed(bench: Bench) {
        let mut tx = bench.store.write().await.unwrap();
        let before = tx.serial().await.unwrap();
        assert!(tx.update_user(99, &object(json!({})), at(1), None).await.unwrap_err().is_missing());
        assert!(tx.set_password(99, None, at(1), None).await.unwrap_err().is_missing());
        assert!(tx.delete_user(99, at(1), None).await.unwrap_err().is_missing());
        assert!(!tx.rehash_password(99, "a", "b").await.unwrap());
        assert_eq!(tx.commit().await.unwrap(), before);
    }

    async fn a_user_who_cannot_be_read_locks_nobody_out(bench: Bench) {
        let mut tx = bench.store.write().await.unwrap();
        make_user(&mut tx, "alice").await;
        make_user(&mut tx, "bob").await;
        tx.commit().await.unwrap();
        bench.database.execute("update users set profile = '{' where name = 'alice'").await;
        let mut tx = bench.store.read().await.unwrap();
        let names: Vec<_> = tx.users().await.unwrap().into_iter().map(|user| user.name).collect();
        assert_eq!(names, [user("bob")]);
        let error = tx.find_user(&user("alice")).await.unwrap_err();
        assert!(error.to_string().starts_with("users.profile of row "), "{error}");
    }
}

#[test]
fn hashes_stay_out_of_logs() {
    assert!(!format!("{:?}", new_user("alice")).contains("hash of"));
}
