//! Pages and sidecars of mirrors.

use crate::samples::{at, digest, index, make_index, page, project};

contract! {
    async fn a_page_is_read_back_as_it_was_fetched(bench: Bench) {
        let pypi = make_index(&bench.store, "root/pypi").await;
        for (name, files) in [("empty", 0), ("small", 3), ("numpy", 3000)] {
            let new = page(name, files);
            let mut tx = bench.store.write().await.unwrap();
            tx.put_mirror_page(pypi.id, new.clone()).await.unwrap();
            tx.commit().await.unwrap();
            let mut tx = bench.store.read().await.unwrap();
            let found = tx.mirror_page(pypi.id, &project(name)).await.unwrap().unwrap();
            assert_eq!(found.page, new.page);
            assert_eq!((found.etag, found.last_modified), (new.etag, new.last_modified));
            assert_eq!((found.serial, found.fetched), (Some(42), new.fetched));
        }
    }

    async fn a_page_is_one_small_row(bench: Bench) {
        let pypi = make_index(&bench.store, "root/pypi").await;
        let mut tx = bench.store.write().await.unwrap();
        tx.put_mirror_page(pypi.id, page("numpy", 3000)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(bench.database.number("select count(*) from mirror_pages").await, 1);
        let bytes = bench.database.number("select cast(length(page) as bigint) from mirror_pages").await;
        assert!(bytes < 100_000, "{bytes} bytes");
        assert_eq!(bench.database.number("select count(*) from files").await, 0);
    }

    async fn a_new_page_replaces_the_old(bench: Bench) {
        let pypi = make_index(&bench.store, "root/pypi").await;
        let mut tx = bench.store.write().await.unwrap();
        tx.put_mirror_page(pypi.id, page("demo", 2)).await.unwrap();
        let before = tx.commit().await.unwrap();
        let mut new = page("demo", 5);
        (new.etag, new.last_modified, new.fetched, new.page.last_serial) = (None, None, at(9), None);
        let mut tx = bench.store.write().await.unwrap();
        tx.put_mirror_page(pypi.id, new.clone()).await.unwrap();
        assert_eq!(tx.commit().await.unwrap(), before + 1);
        let mut tx = bench.store.read().await.unwrap();
        let found = tx.mirror_page(pypi.id, &project("demo")).await.unwrap().unwrap();
        assert_eq!((found.etag, found.last_modified, found.serial, found.fetched), (None, None, None, at(9)));
        assert_eq!(found.page, new.page);
    }

    async fn pages_belong_to_one_index(bench: Bench) {
        let pypi = make_index(&bench.store, "root/pypi").await;
        let other = make_index(&bench.store, "root/other").await;
        let mut tx = bench.store.write().await.unwrap();
        for name in ["zeta", "alpha"] {
            tx.put_mirror_page(pypi.id, page(name, 1)).await.unwrap();
        }
        assert_eq!(tx.mirror_projects(pypi.id).await.unwrap(), ["alpha", "zeta"].map(project));
        assert_eq!(tx.mirror_projects(other.id).await.unwrap(), []);
        assert_eq!(tx.mirror_page(other.id, &project("zeta")).await.unwrap(), None);
        assert_eq!(tx.mirror_page(pypi.id, &project("beta")).await.unwrap(), None);
        assert!(tx.put_mirror_page(99, page("demo", 1)).await.unwrap_err().is_missing());
    }

    async fn a_page_that_cannot_be_read_is_named(bench: Bench) {
        let pypi = make_index(&bench.store, "root/pypi").await;
        let mut tx = bench.store.write().await.unwrap();
        tx.put_mirror_page(pypi.id, page("demo", 1)).await.unwrap();
        tx.commit().await.unwrap();
        bench.database.execute("update mirror_pages set page = ''").await;
        let mut tx = bench.store.read().await.unwrap();
        let error = tx.mirror_page(pypi.id, &project("demo")).await.unwrap_err();
        assert!(error.to_string().starts_with("mirror_pages.page of row "), "{error}");
    }

    async fn a_mirror_forgets_its_pages_and_no_other_does(bench: Bench) {
        let pypi = make_index(&bench.store, "root/pypi").await;
        let other = make_index(&bench.store, "root/other").await;
        let path = "+f/123/4567890abcdef/demo-1.0-py3-none-any.whl";
        let mut tx = bench.store.write().await.unwrap();
        for id in [pypi.id, other.id] {
            tx.put_mirror_page(id, page("demo", 1)).await.unwrap();
            tx.put_sidecar(id, path, digest(1)).await.unwrap();
        }
        tx.forget_pages(pypi.id).await.unwrap();
        assert_eq!(tx.mirror_page(pypi.id, &project("demo")).await.unwrap(), None);
        assert_eq!(tx.find_sidecar(pypi.id, path).await.unwrap(), None);
        assert!(tx.mirror_page(other.id, &project("demo")).await.unwrap().is_some());
        assert_eq!(tx.find_sidecar(other.id, path).await.unwrap(), Some(digest(1)));
    }

    async fn a_sidecar_is_found_by_the_path_of_its_wheel(bench: Bench) {
        let pypi = make_index(&bench.store, "root/pypi").await;
        let path = "+f/123/4567890abcdef/demo-1.0-py3-none-any.whl";
        let mut tx = bench.store.write().await.unwrap();
        let before = tx.serial().await.unwrap();
        assert_eq!(tx.find_sidecar(pypi.id, path).await.unwrap(), None);
        tx.put_sidecar(pypi.id, path, digest(1)).await.unwrap();
        assert_eq!(tx.find_sidecar(pypi.id, path).await.unwrap(), Some(digest(1)));
        tx.put_sidecar(pypi.id, path, digest(2)).await.unwrap();
        assert_eq!(tx.commit().await.unwrap(), before, "nothing that shows has changed");
        let mut tx = bench.store.write().await.unwrap();
        assert_eq!(tx.find_sidecar(pypi.id, path).await.unwrap(), Some(digest(2)));
        assert_eq!(tx.find_sidecar(pypi.id + 1, path).await.unwrap(), None);
        assert!(tx.put_sidecar(99, path, digest(1)).await.unwrap_err().is_missing());
        assert!(tx.find_index(&index("root/pypi")).await.unwrap().is_some());
    }
}
