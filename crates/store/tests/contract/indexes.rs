//! Indexes.

use larder_store::NewIndex;
use serde_json::json;

use crate::samples::{
    at, index, make_index, new_index, object, page, path_of, project, upload, user, wheel,
};

contract! {
    async fn an_index_is_stored_and_found(bench: Bench) {
        let made = make_index(&bench.store, "alice/dev").await;
        let mut tx = bench.store.read().await.unwrap();
        let found = tx.find_index(&index("alice/dev")).await.unwrap().unwrap();
        assert_eq!(found, made);
        assert_eq!(found.config, new_index("alice/dev").config);
        let keys: Vec<&String> = found.config.keys().collect();
        assert_eq!(keys, ["type", "volatile", "bases"], "the order of keys is kept");
        assert_eq!(found.created, at(0));
        assert_eq!(tx.find_index(&index("alice/other")).await.unwrap(), None);
        assert_eq!(tx.find_index(&index("bob/dev")).await.unwrap(), None);
    }

    async fn indexes_are_listed_by_user_and_name(bench: Bench) {
        for name in ["bob/b", "alice/z", "alice/a", "Zed/x"] {
            make_index(&bench.store, name).await;
        }
        let rows = bench.store.read().await.unwrap().indexes().await.unwrap();
        let names: Vec<String> = rows.into_iter().map(|row| row.name.to_string()).collect();
        assert_eq!(names, ["Zed/x", "alice/a", "alice/z", "bob/b"]);
    }

    async fn an_index_needs_a_user_and_a_free_name(bench: Bench) {
        let mut tx = bench.store.write().await.unwrap();
        assert!(tx.insert_index(new_index("alice/dev"), at(1), None).await.unwrap_err().is_missing());
        drop(tx);
        make_index(&bench.store, "alice/dev").await;
        let mut tx = bench.store.write().await.unwrap();
        let error = tx.insert_index(new_index("alice/dev"), at(1), None).await.unwrap_err();
        assert!(error.is_conflict());
        assert!(error.to_string().contains("indexes_user_id_name_key"), "{error}");
        tx.insert_index(new_index("alice/prod"), at(1), None).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn a_configuration_is_replaced(bench: Bench) {
        let made = make_index(&bench.store, "alice/dev").await;
        let config = object(json!({"type": "mirror", "mirror_url": "https://u:p@example.com/simple/"}));
        let mut tx = bench.store.write().await.unwrap();
        tx.update_index(made.id, &config, true, at(2), Some(&user("alice"))).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = bench.store.write().await.unwrap();
        let found = tx.find_index(&made.name).await.unwrap().unwrap();
        assert_eq!((found.id, found.private_upstream), (made.id, true));
        assert_eq!(found.config, config);
        assert!(!format!("{found:?}").contains("u:p@"), "credentials stay out of logs");
        assert!(tx.update_index(99, &config, true, at(2), None).await.unwrap_err().is_missing());
    }

    async fn a_deleted_index_takes_everything_along_and_leaves_tombstones(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        let prod = make_index(&bench.store, "alice/prod").await;
        let file = wheel(dev.id, "demo", "1.0", 1);
        upload(&bench.store, file.clone()).await;
        upload(&bench.store, wheel(prod.id, "demo", "1.0", 1)).await;
        let mut tx = bench.store.write().await.unwrap();
        tx.put_mirror_page(dev.id, page("other", 2)).await.unwrap();
        tx.put_sidecar(dev.id, "+f/a/b/c", crate::samples::digest(1)).await.unwrap();
        tx.delete_index(dev.id, at(5), Some(&user("alice"))).await.unwrap();
        tx.commit().await.unwrap();
        for table in ["projects", "releases", "files"] {
            let count = bench.database.number(&format!("select count(*) from {table}")).await;
            assert_eq!(count, 1, "{table} of alice/prod only");
        }
        for table in ["mirror_pages", "sidecars"] {
            assert_eq!(bench.database.number(&format!("select count(*) from {table}")).await, 0);
        }
        // Also when it is made again (devpi: 1.11).
        let again = make_index(&bench.store, "alice/dev").await;
        assert!(again.id > prod.id);
        let mut tx = bench.store.write().await.unwrap();
        assert!(tx.was_removed(&dev.name, &path_of(&file)).await.unwrap());
        assert!(!tx.was_removed(&prod.name, &path_of(&file)).await.unwrap());
        assert_eq!(tx.files(&[dev.id, again.id], &project("demo")).await.unwrap(), []);
        assert!(tx.delete_index(dev.id, at(6), None).await.unwrap_err().is_missing());
    }

    async fn an_index_that_cannot_be_read_stops_no_other(bench: Bench) {
        make_index(&bench.store, "alice/dev").await;
        make_index(&bench.store, "bob/dev").await;
        bench.database.execute("update indexes set config = '[]' where id = \
            (select i.id from indexes i join users u on u.id = i.user_id where u.name = 'alice')").await;
        let mut tx = bench.store.read().await.unwrap();
        let names: Vec<_> = tx.indexes().await.unwrap().into_iter().map(|row| row.name).collect();
        assert_eq!(names, [index("bob/dev")]);
        let error = tx.find_index(&index("alice/dev")).await.unwrap_err();
        assert!(error.to_string().starts_with("indexes.config of row "), "{error}");
    }
}

#[test]
fn credentials_of_a_new_index_stay_out_of_logs() {
    let config = object(json!({"mirror_url": "https://u:p@example.com/"}));
    let new = NewIndex {
        config,
        ..new_index("alice/dev")
    };
    assert!(!format!("{new:?}").contains("u:p@"));
}
