//! Projects and releases.

use larder_store::NewRelease;
use serde_json::json;

use crate::samples::{
    at, cached_wheel, index, make_index, object, page, path_of, project, release, upload, user,
    wheel,
};

contract! {
    async fn one_release_is_found_by_its_registered_spelling(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        let mut tx = bench.store.write().await.unwrap();
        let made = tx.upsert_release(release(dev.id, "demo", "1.0"), at(1), None).await.unwrap();
        tx.upsert_release(release(dev.id, "demo", "1.1"), at(1), None).await.unwrap();
        let demo = project("demo");
        assert_eq!(tx.find_release(dev.id, &demo, "1.0").await.unwrap(), Some(made));
        for (id, version) in [(dev.id, "1.0.0"), (dev.id + 1, "1.0")] {
            assert_eq!(tx.find_release(id, &demo, version).await.unwrap(), None);
        }
    }

    async fn a_release_registers_its_project(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        let mut tx = bench.store.write().await.unwrap();
        let new = release(dev.id, "demo", "1.0");
        let made = tx.upsert_release(new.clone(), at(3), Some(&user("alice"))).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = bench.store.read().await.unwrap();
        assert_eq!(tx.projects(dev.id).await.unwrap(), [project("demo")]);
        let found = tx.releases(dev.id, &project("demo")).await.unwrap();
        assert_eq!(found, [made]);
        assert_eq!((found[0].version.as_str(), found[0].created), ("1.0", at(3)));
        assert_eq!(found[0].metadata, new.metadata, "NUL and all");
        assert_eq!(tx.releases(dev.id, &project("other")).await.unwrap(), []);
    }

    async fn new_metadata_replaces_the_old_and_the_same_changes_nothing(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        let mut tx = bench.store.write().await.unwrap();
        let first = tx.upsert_release(release(dev.id, "demo", "1.0"), at(1), None).await.unwrap();
        let before = tx.commit().await.unwrap();
        let mut tx = bench.store.write().await.unwrap();
        let same = tx.upsert_release(release(dev.id, "demo", "1.0"), at(2), None).await.unwrap();
        assert_eq!(same, first);
        assert_eq!(tx.commit().await.unwrap(), before, "no change, no serial");
        let metadata = object(json!({"summary": "new"}));
        let new = NewRelease { metadata: metadata.clone(), ..release(dev.id, "demo", "1.0") };
        let mut tx = bench.store.write().await.unwrap();
        let changed = tx.upsert_release(new, at(3), None).await.unwrap();
        assert_eq!((changed.id, changed.created), (first.id, at(1)));
        assert_eq!(tx.commit().await.unwrap(), before + 1);
        let found = bench.store.read().await.unwrap().releases(dev.id, &project("demo")).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].metadata, metadata);
    }

    async fn a_release_needs_its_index(bench: Bench) {
        let mut tx = bench.store.write().await.unwrap();
        let error = tx.upsert_release(release(99, "demo", "1.0"), at(1), None).await.unwrap_err();
        assert!(error.is_missing());
        assert_eq!(error.to_string(), "the index does not exist");
    }

    async fn one_query_tells_which_indexes_have_a_project(bench: Bench) {
        let mut ids = Vec::new();
        for name in ["a/one", "a/two", "a/three", "a/four", "a/five", "a/six"] {
            ids.push(make_index(&bench.store, name).await.id);
        }
        let mut tx = bench.store.write().await.unwrap();
        for id in [ids[1], ids[4], ids[5]] {
            tx.upsert_release(release(id, "demo", "1.0"), at(1), None).await.unwrap();
        }
        tx.upsert_release(release(ids[0], "other", "1.0"), at(1), None).await.unwrap();
        let mut found = tx.has_project(&ids[..5], &project("demo")).await.unwrap();
        found.sort_unstable();
        assert_eq!(found, [ids[1], ids[4]], "the sixth was not asked for");
        assert!(tx.has_project(&[], &project("demo")).await.unwrap().is_empty());
        assert!(tx.has_project(&ids, &project("absent")).await.unwrap().is_empty());
    }

    async fn versions_of_several_indexes_come_in_the_order_they_were_registered(bench: Bench) {
        let one = make_index(&bench.store, "a/one").await.id;
        let two = make_index(&bench.store, "a/two").await.id;
        let other = make_index(&bench.store, "a/other").await.id;
        let mut tx = bench.store.write().await.unwrap();
        for (id, version) in [(one, "2.0"), (two, "1.0"), (one, "1.0"), (other, "9.9")] {
            tx.upsert_release(release(id, "demo", version), at(1), None).await.unwrap();
        }
        let versions = tx.versions(&[two, one], &project("demo")).await.unwrap();
        let expected = [(one, "2.0"), (two, "1.0"), (one, "1.0")].map(|(id, v)| (id, v.to_owned()));
        assert_eq!(versions, expected);
    }

    async fn projects_are_listed_by_name(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await.id;
        let other = make_index(&bench.store, "alice/other").await.id;
        let mut tx = bench.store.write().await.unwrap();
        for (id, name) in [(dev, "zeta"), (dev, "a-b"), (dev, "ab"), (other, "elsewhere")] {
            tx.upsert_release(release(id, name, "1"), at(1), None).await.unwrap();
        }
        let names = tx.projects(dev).await.unwrap();
        assert_eq!(names, ["a-b", "ab", "zeta"].map(project));
    }

    async fn a_removed_release_takes_its_files_along_but_not_its_project(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        let gone = wheel(dev.id, "demo", "1.0", 1);
        upload(&bench.store, gone.clone()).await;
        let kept = upload(&bench.store, wheel(dev.id, "demo", "2.0", 2)).await;
        let mut tx = bench.store.write().await.unwrap();
        tx.remove_release(dev.id, &project("demo"), "1.0", at(5), Some(&user("alice"))).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = bench.store.write().await.unwrap();
        let left = tx.files(&[dev.id], &project("demo")).await.unwrap();
        assert_eq!(left.iter().map(|file| file.id).collect::<Vec<_>>(), [kept]);
        assert_eq!(tx.versions(&[dev.id], &project("demo")).await.unwrap(), [(dev.id, "2.0".to_owned())]);
        assert!(tx.was_removed(&dev.name, &path_of(&gone)).await.unwrap());
        let error = tx.remove_release(dev.id, &project("demo"), "1.0", at(6), None).await.unwrap_err();
        assert!(error.is_missing());
        let error = tx.remove_release(dev.id, &project("no"), "1.0", at(6), None).await.unwrap_err();
        assert!(error.is_missing());
    }

    async fn on_a_mirror_a_removed_release_forgets_cached_files_only(bench: Bench) {
        let pypi = make_index(&bench.store, "root/pypi").await;
        let mut tx = bench.store.write().await.unwrap();
        tx.put_mirror_page(pypi.id, page("demo", 3)).await.unwrap();
        tx.insert_cached_file(cached_wheel(pypi.id, "demo", "1.0", 1), at(1)).await.unwrap();
        tx.remove_release(pypi.id, &project("demo"), "1.0", at(2), None).await.unwrap();
        assert_eq!(tx.files(&[pypi.id], &project("demo")).await.unwrap(), []);
        assert!(tx.mirror_page(pypi.id, &project("demo")).await.unwrap().is_some());
    }

    async fn a_removed_project_takes_everything_along(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        let file = wheel(dev.id, "demo", "1.0", 1);
        upload(&bench.store, file.clone()).await;
        let mut tx = bench.store.write().await.unwrap();
        tx.put_mirror_page(dev.id, page("demo", 1)).await.unwrap();
        tx.remove_project(dev.id, &project("demo"), at(5), Some(&user("alice"))).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = bench.store.write().await.unwrap();
        assert!(tx.has_project(&[dev.id], &project("demo")).await.unwrap().is_empty());
        assert_eq!(tx.mirror_page(dev.id, &project("demo")).await.unwrap(), None);
        assert!(tx.was_removed(&index("alice/dev"), &path_of(&file)).await.unwrap());
        assert!(tx.remove_project(dev.id, &project("demo"), at(6), None).await.unwrap_err().is_missing());
        assert!(tx.remove_project(99, &project("demo"), at(6), None).await.unwrap_err().is_missing());
    }
}
