//! Yanks of files and releases.

use larder_store::Yank;

use crate::samples::{at, make_index, project, toxresult, upload, upload_in, user, wheel};

fn yank<'a>(
    index_id: i64,
    project: &'a larder_pypi::ProjectName,
    reason: Option<&'a str>,
) -> Yank<'a> {
    Yank {
        index_id,
        project,
        version: "1.0",
        filename: None,
        reason,
    }
}

contract! {
    async fn a_yank_marks_release_files_and_no_others(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        let (demo, file) = (project("demo"), wheel(dev.id, "demo", "1.0", 1));
        upload(&bench.store, file.clone()).await;
        upload(&bench.store, wheel(dev.id, "demo", "1.1", 2)).await;
        let mut tx = bench.store.write().await.unwrap();
        upload_in(&mut tx, toxresult(&file, 0)).await;
        tx.commit().await.unwrap();

        let mut tx = bench.store.write().await.unwrap();
        let who = user("alice");
        let count = tx.set_yanked(yank(dev.id, &demo, Some("broken")), at(5), Some(&who)).await.unwrap();
        let serial = tx.commit().await.unwrap();
        assert_eq!(count, 1);
        let mut tx = bench.store.read().await.unwrap();
        let marked: Vec<Option<String>> =
            tx.files(&[dev.id], &demo).await.unwrap().into_iter().map(|file| file.yanked).collect();
        assert_eq!(marked, [Some("broken".to_owned()), None, None]);
        let entry = tx.audit_log(serial - 1, 10).await.unwrap().pop().unwrap();
        assert_eq!((entry.what.as_str(), entry.who, entry.serial), ("yanked", Some(who), serial));
        assert_eq!(entry.detail["reason"], "broken");
    }

    async fn the_same_yank_again_is_no_change(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        let demo = project("demo");
        upload(&bench.store, wheel(dev.id, "demo", "1.0", 1)).await;
        let mut serials = Vec::new();
        for reason in [Some(""), Some(""), Some("x"), Some("x"), None, None] {
            let mut tx = bench.store.write().await.unwrap();
            assert_eq!(tx.set_yanked(yank(dev.id, &demo, reason), at(5), None).await.unwrap(), 1);
            serials.push(tx.commit().await.unwrap());
        }
        let steps: Vec<u64> = serials.iter().map(|serial| serial - serials[0]).collect();
        assert_eq!(steps, [0, 0, 1, 1, 2, 2]);
    }

    async fn what_is_not_there_cannot_be_yanked(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        let (demo, other) = (project("demo"), project("other"));
        upload(&bench.store, wheel(dev.id, "demo", "1.0", 1)).await;
        for wrong in [
            yank(dev.id, &other, Some("")),
            Yank { version: "9.9", ..yank(dev.id, &demo, Some("")) },
            Yank { filename: Some("no.whl"), ..yank(dev.id, &demo, Some("")) },
            yank(dev.id + 1, &demo, Some("")),
        ] {
            let mut tx = bench.store.write().await.unwrap();
            assert!(tx.set_yanked(wrong, at(5), None).await.unwrap_err().is_missing());
        }
    }
}
