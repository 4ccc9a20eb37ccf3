//! Files and the tombstones they leave.

use larder_pypi::Hashes;
use larder_store::{Area, FileRole, NewFile};

use crate::samples::{
    at, cached_wheel, digest, make_index, path_of, project, release, toxresult, upload, upload_in,
    user, wheel,
};

contract! {
    async fn an_upload_is_read_back_as_it_was_given(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        let mut new = wheel(dev.id, "demo", "1.0", 1);
        new.yanked = Some(String::new());
        new.hashes.insert("md5", &"0a".repeat(16));
        new.size = u64::from(u32::MAX) * 100;
        let mut tx = bench.store.write().await.unwrap();
        tx.upsert_release(release(dev.id, "demo", "1.0"), at(1), None).await.unwrap();
        let made = tx.insert_file(new.clone(), at(1), Some(&user("alice"))).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = bench.store.read().await.unwrap();
        let found = tx.find_file(dev.id, Area::Hash, &new.dir, &new.filename).await.unwrap().unwrap();
        assert_eq!(found, made);
        assert_eq!((found.index_id, &found.project, &found.version), (dev.id, &new.project, &new.version));
        assert_eq!((found.kind, found.parent, found.digest), (FileRole::Release, None, new.digest));
        assert_eq!((found.size, &found.hashes, &found.log), (new.size, &new.hashes, &new.log));
        assert_eq!((&found.yanked, &found.requires_python), (&new.yanked, &new.requires_python));
        assert_eq!((found.metadata_digest, found.uploaded), (new.metadata_digest, new.uploaded));
        assert_eq!((found.last_modified, found.url), (None, None));
        assert_eq!(tx.files(&[dev.id], &project("demo")).await.unwrap(), [made]);
    }

    async fn a_file_is_found_under_its_own_path_only(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        let prod = make_index(&bench.store, "alice/prod").await;
        let file = wheel(dev.id, "demo", "1.0", 1);
        upload(&bench.store, file.clone()).await;
        let mut tx = bench.store.read().await.unwrap();
        for (id, area, dir, name) in [
            (prod.id, file.area, file.dir.as_str(), file.filename.as_str()),
            (dev.id, Area::External, &file.dir, &file.filename),
            (dev.id, file.area, "000/0000000000000", &file.filename),
            (dev.id, file.area, &file.dir, "demo-1.0.tar.gz"),
            (dev.id, file.area, &file.dir, "DEMO-1.0-py3-none-any.whl"),
        ] {
            assert_eq!(tx.find_file(id, area, dir, name).await.unwrap(), None, "{dir}/{name}");
        }
    }

    async fn a_release_is_read_without_the_rest_of_its_project(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        let prod = make_index(&bench.store, "alice/prod").await;
        let file = wheel(dev.id, "demo", "1.0", 1);
        for new in [
            file.clone(),
            wheel(dev.id, "demo", "1.1", 2),
            wheel(dev.id, "other", "1.0", 3),
            wheel(prod.id, "demo", "1.0", 4),
        ] {
            upload(&bench.store, new).await;
        }
        upload(&bench.store, toxresult(&file, 0)).await;
        let mut tx = bench.store.read().await.unwrap();
        let demo = project("demo");
        let names = |files: Vec<larder_store::FileRow>| -> Vec<String> {
            files.into_iter().map(|file| file.filename).collect()
        };
        let own = names(tx.release_files(dev.id, &demo, "1.0", "").await.unwrap());
        assert_eq!(own, [file.filename.clone(), toxresult(&file, 0).filename]);
        let other = wheel(dev.id, "demo", "1.1", 2).filename;
        let both = names(tx.release_files(dev.id, &demo, "9.9", &other).await.unwrap());
        assert_eq!(both, [other]);
    }

    async fn documentation_is_found_without_the_files(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        let file = wheel(dev.id, "demo", "1.0", 1);
        let docs = NewFile {
            filename: "demo-1.0.doc.zip".to_owned(),
            kind: FileRole::DocZip,
            ..file.clone()
        };
        for new in [file, docs.clone(), wheel(dev.id, "other", "1.0", 3)] {
            upload(&bench.store, new).await;
        }
        let mut tx = bench.store.read().await.unwrap();
        let found = tx.doc_archives(dev.id, &project("demo")).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].filename, docs.filename);
        assert!(tx.doc_archives(dev.id, &project("other")).await.unwrap().is_empty());
    }

    async fn one_query_gives_the_files_of_a_whole_resolution_order(bench: Bench) {
        let mut ids = Vec::new();
        for name in ["a/one", "a/two", "a/three", "a/four", "a/five", "a/six", "a/other"] {
            let id = make_index(&bench.store, name).await.id;
            let number = u8::try_from(ids.len()).unwrap();
            upload(&bench.store, wheel(id, "demo", "1.0", number)).await;
            upload(&bench.store, wheel(id, "other", "1.0", number)).await;
            ids.push(id);
        }
        ids.pop();
        let files = bench.store.read().await.unwrap().files(&ids, &project("demo")).await.unwrap();
        assert_eq!(files.iter().map(|file| file.index_id).collect::<Vec<_>>(), ids, "upload order");
        assert!(files.iter().all(|file| file.project == project("demo")));
    }

    async fn a_name_is_there_once_per_project_of_an_index(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        let prod = make_index(&bench.store, "alice/prod").await;
        let first = upload(&bench.store, wheel(dev.id, "demo", "1.0", 1)).await;
        upload(&bench.store, wheel(prod.id, "demo", "1.0", 2)).await;
        let mut tx = bench.store.write().await.unwrap();
        let before = tx.serial().await.unwrap();
        let error = tx.insert_file(wheel(dev.id, "demo", "1.0", 3), at(2), None).await.unwrap_err();
        assert!(error.is_conflict());
        assert!(error.to_string().contains("files_project_id_filename_key"), "{error}");
        assert_eq!(tx.commit().await.unwrap(), before, "a refused file changes nothing");
        let files = bench.store.read().await.unwrap().files(&[dev.id], &project("demo")).await.unwrap();
        assert_eq!((files.len(), files[0].id, files[0].digest), (1, first, digest(1)));
    }

    async fn a_file_needs_its_release(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        let mut tx = bench.store.write().await.unwrap();
        tx.upsert_release(release(dev.id, "demo", "1.0"), at(1), None).await.unwrap();
        for (file, what) in [
            (wheel(dev.id, "demo", "2.0", 1), "the release does not exist"),
            (wheel(dev.id, "other", "1.0", 1), "the release does not exist"),
            (wheel(99, "demo", "1.0", 1), "the index does not exist"),
        ] {
            let error = tx.insert_file(file, at(1), None).await.unwrap_err();
            assert!(error.is_missing());
            assert_eq!(error.to_string(), what);
        }
    }

    async fn a_file_that_is_overwritten_moves_to_the_end_and_its_old_path_is_gone(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        let old = wheel(dev.id, "demo", "1.0", 1);
        let old_id = upload(&bench.store, old.clone()).await;
        let other = NewFile { filename: "demo-1.0.tar.gz".to_owned(), ..wheel(dev.id, "demo", "1.0", 2) };
        let other = upload(&bench.store, other).await;
        let mut tx = bench.store.write().await.unwrap();
        tx.remove_file(old_id, at(2), None).await.unwrap();
        let new = wheel(dev.id, "demo", "1.0", 3);
        let new_id = upload_in(&mut tx, new.clone()).await;
        tx.commit().await.unwrap();
        let mut tx = bench.store.read().await.unwrap();
        let files = tx.files(&[dev.id], &project("demo")).await.unwrap();
        assert_eq!(files.iter().map(|file| file.id).collect::<Vec<_>>(), [other, new_id]);
        assert!(tx.was_removed(&dev.name, &path_of(&old)).await.unwrap());
        assert!(!tx.was_removed(&dev.name, &path_of(&new)).await.unwrap());
    }

    async fn a_path_that_is_served_again_has_no_tombstone(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        let file = wheel(dev.id, "demo", "1.0", 1);
        let id = upload(&bench.store, file.clone()).await;
        let mut tx = bench.store.write().await.unwrap();
        assert!(!tx.was_removed(&dev.name, &path_of(&file)).await.unwrap());
        assert!(!tx.filename_was_removed(&dev.name, &file.filename).await.unwrap());
        tx.remove_file(id, at(2), Some(&user("alice"))).await.unwrap();
        assert!(tx.was_removed(&dev.name, &path_of(&file)).await.unwrap());
        assert!(tx.filename_was_removed(&dev.name, &file.filename).await.unwrap());
        assert!(!tx.filename_was_removed(&dev.name, "demo-1.0.tar.gz").await.unwrap());
        assert!(tx.remove_file(id, at(3), None).await.unwrap_err().is_missing());
        upload_in(&mut tx, file.clone()).await;
        assert!(!tx.was_removed(&dev.name, &path_of(&file)).await.unwrap());
        assert!(!tx.filename_was_removed(&dev.name, &file.filename).await.unwrap());
    }

    async fn tox_results_go_with_the_file_they_are_about(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        let file = wheel(dev.id, "demo", "1.0", 1);
        let id = upload(&bench.store, file.clone()).await;
        let sdist = NewFile { filename: "demo-1.0.tar.gz".to_owned(), ..wheel(dev.id, "demo", "1.0", 2) };
        let other = upload(&bench.store, sdist).await;
        let mut tx = bench.store.write().await.unwrap();
        for number in 0..2 {
            let result = tx.insert_file(toxresult(&file, number), at(2), None).await.unwrap();
            assert_eq!((result.kind, result.parent), (FileRole::Toxresult, Some(id)));
        }
        let about_nothing = toxresult(&wheel(dev.id, "demo", "1.0", 9), 0);
        assert!(tx.insert_file(about_nothing, at(2), None).await.unwrap_err().is_missing());
        assert_eq!(tx.files(&[dev.id], &project("demo")).await.unwrap().len(), 4);
        tx.remove_file(id, at(3), None).await.unwrap();
        let left = tx.files(&[dev.id], &project("demo")).await.unwrap();
        assert_eq!(left.iter().map(|file| file.id).collect::<Vec<_>>(), [other]);
        for number in 0..2 {
            let path = path_of(&toxresult(&file, number));
            assert!(tx.was_removed(&dev.name, &path).await.unwrap(), "{path}");
        }
    }

    async fn documentation_is_a_file_of_its_release(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        let docs = NewFile {
            filename: "demo-1.0.doc.zip".to_owned(),
            kind: FileRole::DocZip,
            ..wheel(dev.id, "demo", "1.0", 4)
        };
        upload(&bench.store, docs).await;
        let files = bench.store.read().await.unwrap().files(&[dev.id], &project("demo")).await.unwrap();
        assert_eq!(files[0].kind, FileRole::DocZip);
    }

    async fn a_cached_file_keeps_where_it_came_from(bench: Bench) {
        let pypi = make_index(&bench.store, "root/pypi").await;
        let new = NewFile {
            area: Area::External,
            dir: "https_files.example.com_a".to_owned(),
            ..cached_wheel(pypi.id, "demo", "1.0", 1)
        };
        let mut tx = bench.store.write().await.unwrap();
        let made = tx.insert_cached_file(new.clone(), at(4)).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = bench.store.write().await.unwrap();
        let found = tx.find_file(pypi.id, Area::External, &new.dir, &new.filename).await.unwrap();
        assert_eq!(found, Some(made.clone()));
        assert_eq!((made.url, made.last_modified), (new.url, new.last_modified));
        assert_eq!(tx.releases(pypi.id, &project("demo")).await.unwrap(), [], "nothing is registered");
        let lost = cached_wheel(99, "demo", "1.0", 1);
        assert!(tx.insert_cached_file(lost, at(4)).await.unwrap_err().is_missing());
    }

    async fn a_file_that_is_fetched_again_replaces_its_row(bench: Bench) {
        let pypi = make_index(&bench.store, "root/pypi").await;
        let mut tx = bench.store.write().await.unwrap();
        let first = tx.insert_cached_file(cached_wheel(pypi.id, "demo", "1.0", 1), at(1)).await.unwrap();
        tx.remove_file(first.id, at(2), None).await.unwrap();
        let path = path_of(&cached_wheel(pypi.id, "demo", "1.0", 1));
        assert!(tx.was_removed(&pypi.name, &path).await.unwrap());
        tx.insert_cached_file(cached_wheel(pypi.id, "demo", "1.0", 1), at(3)).await.unwrap();
        assert!(!tx.was_removed(&pypi.name, &path).await.unwrap());
        let changed = cached_wheel(pypi.id, "demo", "1.0", 2);
        let row = tx.insert_cached_file(changed.clone(), at(4)).await.unwrap();
        let files = tx.files(&[pypi.id], &project("demo")).await.unwrap();
        assert_eq!(files, [row]);
        assert_eq!((files[0].digest, &files[0].hashes), (digest(2), &Hashes::of(digest(2))));
    }

    async fn a_file_row_that_cannot_be_read_is_named(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        let id = upload(&bench.store, wheel(dev.id, "demo", "1.0", 1)).await;
        for (column, value) in [
            ("digest", "'x'"),
            ("role", "'x'"),
            ("area", "'x'"),
            ("size", "-1"),
            ("hashes", "'['"),
            ("log", "'{}'"),
            ("metadata_digest", "''"),
        ] {
            bench.database.execute(&format!("update files set {column} = {value}")).await;
            let mut tx = bench.store.read().await.unwrap();
            let error = tx.files(&[dev.id], &project("demo")).await.unwrap_err();
            assert_eq!(error.to_string(), format!("files.{column} of row {id} cannot be read"));
            bench.database.execute("delete from files").await;
            bench.database.execute(&format!(
                "insert into files (id, project_id, version, filename, role, area, dir, digest, \
                 size, hashes, uploaded, log) {} select {id}, id, '1.0', 'f', 'release', '+f', 'd', \
                 '{}', 1, '{{}}', 0, '[]' from projects",
                if matches!(bench.database, crate::bench::Database::Postgres(_)) { "overriding system value" } else { "" },
                digest(1),
            )).await;
        }
    }
}
