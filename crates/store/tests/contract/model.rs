//! Random histories against a plain map: what the store says after each
//! commit or rollback is what the map says.

use std::collections::{BTreeMap, BTreeSet};

use larder_store::{NewFile, Store, Tx};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::samples::{
    at, make_index, new_index, path_of, project, release, upload_in, user, wheel,
};

const INDEXES: [&str; 2] = ["alice/dev", "alice/prod"];
const PROJECTS: [&str; 2] = ["demo", "other"];
const VERSIONS: [&str; 2] = ["1.0", "2.0"];
const HISTORIES: usize = 12;

/// Numbers are positions in the lists above; `bytes` tells contents apart.
#[derive(Debug, Clone)]
enum Step {
    Upload {
        index: usize,
        project: usize,
        version: usize,
        bytes: u8,
    },
    RemoveFile {
        index: usize,
        project: usize,
        version: usize,
    },
    RemoveRelease {
        index: usize,
        project: usize,
        version: usize,
    },
    RemoveProject {
        index: usize,
        project: usize,
    },
    RecreateIndex {
        index: usize,
    },
}

/// Index, project, version.
type Place = (usize, usize, usize);

#[derive(Debug, Clone, Default, PartialEq)]
struct World {
    releases: BTreeSet<Place>,
    files: BTreeMap<Place, u8>,
    removed: BTreeSet<(Place, u8)>,
}

impl World {
    fn remove(&mut self, which: impl Fn(&Place) -> bool) {
        let gone: Vec<_> = self.files.extract_if(.., |place, _| which(place)).collect();
        self.removed.extend(gone);
    }

    /// What the step does; false if there is nothing to do it to.
    fn apply(&mut self, step: &Step) -> bool {
        match *step {
            Step::Upload {
                index,
                project,
                version,
                bytes,
            } => {
                let place = (index, project, version);
                self.releases.insert(place);
                if self.files.contains_key(&place) {
                    return false;
                }
                self.files.insert(place, bytes);
                self.removed.remove(&(place, bytes));
                true
            }
            Step::RemoveFile {
                index,
                project,
                version,
            } => {
                let before = self.files.len();
                self.remove(|place| *place == (index, project, version));
                self.files.len() < before
            }
            Step::RemoveRelease {
                index,
                project,
                version,
            } => {
                self.remove(|place| *place == (index, project, version));
                self.releases.remove(&(index, project, version))
            }
            Step::RemoveProject { index, project } => {
                let of_project = |place: &Place| (place.0, place.1) == (index, project);
                self.remove(of_project);
                let known = self.releases.iter().any(of_project);
                self.releases.retain(|place| !of_project(place));
                known
            }
            Step::RecreateIndex { index } => {
                self.remove(|place| place.0 == index);
                self.releases.retain(|place| place.0 != index);
                true
            }
        }
    }
}

fn file(ids: &[i64; 2], (index, project, version): Place, bytes: u8) -> NewFile {
    wheel(ids[index], PROJECTS[project], VERSIONS[version], bytes)
}

/// Does to the store what [`World::apply`] does to the map.
async fn act(tx: &mut Tx, ids: &mut [i64; 2], step: &Step) -> bool {
    let outcome = match *step {
        Step::Upload {
            index,
            project,
            version,
            bytes,
        } => {
            let new = file(ids, (index, project, version), bytes);
            let release = release(ids[index], PROJECTS[project], VERSIONS[version]);
            tx.upsert_release(release, at(1), None).await.unwrap();
            tx.insert_file(new, at(1), None).await.map(drop)
        }
        Step::RemoveFile {
            index,
            project: number,
            version,
        } => {
            let name = file(ids, (index, number, version), 0).filename;
            let files = tx
                .files(&[ids[index]], &project(PROJECTS[number]))
                .await
                .unwrap();
            match files.into_iter().find(|file| file.filename == name) {
                Some(file) => tx.remove_file(file.id, at(2), None).await,
                None => return false,
            }
        }
        Step::RemoveRelease {
            index,
            project: number,
            version,
        } => {
            let name = project(PROJECTS[number]);
            tx.remove_release(ids[index], &name, VERSIONS[version], at(2), None)
                .await
        }
        Step::RemoveProject {
            index,
            project: number,
        } => {
            let name = project(PROJECTS[number]);
            let registered = !tx.versions(&[ids[index]], &name).await.unwrap().is_empty();
            match tx.remove_project(ids[index], &name, at(2), None).await {
                // Removing every release leaves the project registered.
                Ok(()) => return registered,
                error => error,
            }
        }
        Step::RecreateIndex { index } => {
            tx.delete_index(ids[index], at(2), None).await.unwrap();
            let made = tx
                .insert_index(new_index(INDEXES[index]), at(3), None)
                .await
                .unwrap();
            ids[index] = made.id;
            Ok(())
        }
    };
    outcome
        .map_err(|error| assert!(error.is_conflict() || error.is_missing(), "{error:?}"))
        .is_ok()
}

/// Everything the store says, as the map would have it.
async fn observe(store: &Store, ids: &[i64; 2]) -> World {
    let mut world = World::default();
    let mut tx = store.read().await.unwrap();
    for (number, name) in PROJECTS.iter().enumerate() {
        let name = project(name);
        let place_of = |id: i64, version: &str| {
            let index = ids.iter().position(|known| *known == id).unwrap();
            (
                index,
                number,
                VERSIONS.iter().position(|known| *known == version).unwrap(),
            )
        };
        for (id, version) in tx.versions(ids, &name).await.unwrap() {
            world.releases.insert(place_of(id, &version));
        }
        for file in tx.files(ids, &name).await.unwrap() {
            world.files.insert(
                place_of(file.index_id, &file.version),
                file.digest.as_bytes()[0],
            );
        }
    }
    for (index, name) in INDEXES.iter().enumerate() {
        for place in (0..4).map(|number| (index, number / 2, number % 2)) {
            for bytes in 0..3 {
                let path = path_of(&file(ids, place, bytes));
                if tx.was_removed(&name.parse().unwrap(), &path).await.unwrap() {
                    world.removed.insert((place, bytes));
                }
            }
        }
    }
    world
}

fn step() -> impl Strategy<Value = Step> {
    let place = (0usize..2, 0usize..2, 0usize..2, 0u8..3);
    (0u32..20, place).prop_map(|(kind, (index, project, version, bytes))| match kind {
        0..=10 => Step::Upload {
            index,
            project,
            version,
            bytes,
        },
        11..=14 => Step::RemoveFile {
            index,
            project,
            version,
        },
        15..=16 => Step::RemoveRelease {
            index,
            project,
            version,
        },
        17..=18 => Step::RemoveProject { index, project },
        _ => Step::RecreateIndex { index },
    })
}

contract! {
    async fn the_store_is_a_map_with_a_history(bench: Bench) {
        let mut runner = TestRunner::default();
        let histories = prop::collection::vec((prop::collection::vec(step(), 1..6), any::<bool>()), 1..15);
        for _ in 0..HISTORIES {
            let history = histories.new_tree(&mut runner).unwrap().current();
            let mut ids = [make_index(&bench.store, INDEXES[0]).await.id, make_index(&bench.store, INDEXES[1]).await.id];
            let mut world = World::default();
            for (steps, commit) in &history {
                let (mut ahead, mut ids_ahead) = (world.clone(), ids);
                let mut tx = bench.store.write().await.unwrap();
                for step in steps {
                    let expected = ahead.apply(step);
                    assert_eq!(act(&mut tx, &mut ids_ahead, step).await, expected, "{step:?} in {history:?}");
                }
                if *commit {
                    tx.commit().await.unwrap();
                    (world, ids) = (ahead, ids_ahead);
                } else {
                    drop(tx);
                }
                assert_eq!(observe(&bench.store, &ids).await, world, "after {steps:?} in {history:?}");
            }
            let mut tx = bench.store.write().await.unwrap();
            let alice = tx.find_user(&user("alice")).await.unwrap().unwrap();
            tx.delete_user(alice.id, at(9), None).await.unwrap();
            tx.commit().await.unwrap();
            bench.database.execute("delete from tombstones").await;
        }
    }

    async fn uploading_twice_in_one_transaction_is_seen_by_itself(bench: Bench) {
        let dev = make_index(&bench.store, "alice/dev").await;
        let mut tx = bench.store.write().await.unwrap();
        let id = upload_in(&mut tx, wheel(dev.id, "demo", "1.0", 1)).await;
        let files = tx.files(&[dev.id], &project("demo")).await.unwrap();
        assert_eq!(files.iter().map(|file| file.id).collect::<Vec<_>>(), [id]);
    }
}
