//! The examples of 8.3 as a table, and its laws over all small worlds.

use std::collections::{BTreeSet, HashSet};

use larder_pypi::Hashes;
use larder_pypi::simple::CoreMetadata;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;

fn project(name: &str) -> ProjectName {
    name.parse().unwrap()
}

#[derive(Debug, Clone)]
struct World {
    layers: Vec<(IndexKind, Whitelist, bool)>,
    inheritance: Inheritance,
}

impl World {
    /// `stage+ a,*` has the project, `stage` has not; then its whitelist. `mirror`.
    fn read(text: &str, inheritance: Inheritance) -> Self {
        let layer = |line: &str| {
            let (kind, list) = line.split_once(' ').unwrap_or((line, ""));
            let texts: Vec<&str> = list.split(',').filter(|entry| !entry.is_empty()).collect();
            let is_mirror = kind == "mirror";
            let kind_of = if is_mirror {
                IndexKind::Mirror
            } else {
                IndexKind::Stage
            };
            (
                kind_of,
                Whitelist::strict(&texts).unwrap(),
                kind.ends_with('+'),
            )
        };
        Self {
            layers: text.split("; ").map(layer).collect(),
            inheritance,
        }
    }

    fn admit(&self) -> Admission {
        let layers: Vec<Layer<'_>> = self
            .layers
            .iter()
            .map(|(kind, whitelist, has_project)| Layer {
                kind: *kind,
                whitelist,
                has_project: *has_project,
            })
            .collect();
        admit(&layers, &project("a"), self.inheritance)
    }

    fn mirrors_admitted(&self) -> Vec<bool> {
        let admitted = self.admit().admitted;
        let layers = self.layers.iter().zip(admitted);
        layers
            .filter(|((kind, ..), _)| *kind == IndexKind::Mirror)
            .map(|(_, admitted)| admitted)
            .collect()
    }
}

#[test]
fn a_name_that_a_stage_has_blocks_mirrors_unless_it_is_listed() {
    use Inheritance::{Intersection, Union};
    for (inheritance, world, admitted) in [
        // Nobody has it: mirrors answer.
        (Intersection, "stage; mirror", true),
        (Intersection, "mirror", true),
        // Somebody has it.
        (Intersection, "stage+; mirror", false),
        (Intersection, "stage; stage+; mirror", false),
        (Intersection, "stage+ b; mirror", false),
        // The requested index lists it.
        (Intersection, "stage+ a; mirror", true),
        (Intersection, "stage+ *; mirror", true),
        (Intersection, "stage a; stage+; mirror", true),
        (Intersection, "stage *; stage+; mirror", true),
        // A base lists it: of no use with an intersection, of use with a union.
        (Intersection, "stage; stage+ a; mirror", false),
        (Intersection, "stage; stage+ *; mirror", false),
        (Intersection, "stage+; stage a; mirror", false),
        (Intersection, "stage+ b; stage+ *; mirror", false),
        (Union, "stage; stage+ a; mirror", true),
        (Union, "stage+; stage+; stage *; mirror", true),
        (Union, "stage+ b; stage+; mirror", false),
        (Union, "stage+; mirror", false),
        (Union, "stage+ a; mirror", true),
        (Union, "stage a; stage+; mirror", true),
    ] {
        let world_read = World::read(world, inheritance);
        assert_eq!(
            world_read.mirrors_admitted(),
            [admitted],
            "{world} {inheritance:?}"
        );
        assert_eq!(
            world_read.admit().blocked_mirror,
            !admitted,
            "{world} {inheritance:?}"
        );
    }
}

#[test]
fn mirrors_never_block_each_other() {
    let world = World::read("stage; mirror; mirror", Inheritance::Intersection);
    assert_eq!(world.mirrors_admitted(), [true, true]);
    let world = World::read("stage+; mirror; mirror", Inheritance::Intersection);
    assert_eq!(world.mirrors_admitted(), [false, false]);
}

/// 8.3 word for word, with the set W kept as a set.
fn naive_admit(world: &World) -> Vec<bool> {
    let mut set: Option<BTreeSet<String>> = None;
    let mut private_hit = false;
    let mut whitelisted = false;
    let mut admitted = Vec::new();
    for (kind, whitelist, has_project) in &world.layers {
        if *kind == IndexKind::Mirror {
            let is_skipped = private_hit && !whitelisted;
            admitted.push(!is_skipped);
            continue;
        }
        let list: BTreeSet<String> = whitelist.entries().iter().cloned().collect();
        let next = match (&set, world.inheritance) {
            (None, _) => list,
            (Some(set), Inheritance::Union) => set.union(&list).cloned().collect(),
            (Some(set), Inheritance::Intersection) => set.intersection(&list).cloned().collect(),
        };
        if next.contains("*") || next.contains("a") {
            whitelisted = true;
        } else if *has_project {
            private_hit = true;
        }
        set = Some(next);
        admitted.push(true);
    }
    admitted
}

fn any_world(min_layers: usize) -> impl Strategy<Value = World> {
    let list = subsequence(vec!["a", "b", "*"], 0..=3);
    let layer = (any::<bool>(), list, any::<bool>()).prop_map(|(is_mirror, list, has_project)| {
        let kind = if is_mirror {
            IndexKind::Mirror
        } else {
            IndexKind::Stage
        };
        (kind, Whitelist::strict(&list).unwrap(), has_project)
    });
    (vec(layer, min_layers..7), any::<bool>()).prop_map(|(layers, is_union)| World {
        layers,
        inheritance: if is_union {
            Inheritance::Union
        } else {
            Inheritance::Intersection
        },
    })
}

fn no_more_than(less: &[bool], more: &[bool]) -> bool {
    less.len() == more.len() && less.iter().zip(more).all(|(less, more)| *more || !*less)
}

proptest! {
    #[test]
    fn admission_is_the_rule_read_literally(world in any_world(0)) {
        let admission = world.admit();
        prop_assert_eq!(&admission.admitted, &naive_admit(&world));
        prop_assert_eq!(admission.blocked_mirror, world.mirrors_admitted().contains(&false));
        let stages = world.layers.iter().zip(&admission.admitted).filter(|(layer, _)| layer.0 == IndexKind::Stage);
        prop_assert!(stages.into_iter().all(|(_, admitted)| *admitted));
    }

    #[test]
    fn a_private_registration_never_admits_more(world in any_world(1), at in any::<prop::sample::Index>()) {
        let mut registered = world.clone();
        let at = at.index(world.layers.len());
        registered.layers[at].2 = true;
        prop_assert!(no_more_than(&registered.admit().admitted, &world.admit().admitted));
    }

    #[test]
    fn a_name_the_first_index_lists_admits_every_mirror(world in any_world(0), with_star in any::<bool>()) {
        let entry = if with_star { "*" } else { "a" };
        let mut listed = world;
        let own = Whitelist::strict(&["b", entry]).unwrap();
        listed.layers.insert(0, (IndexKind::Stage, own, true));
        prop_assert!(listed.admit().admitted.iter().all(|admitted| *admitted));
    }

    #[test]
    fn what_a_mirror_has_changes_nothing(world in any_world(0)) {
        let mut other = world.clone();
        for layer in other.layers.iter_mut().filter(|layer| layer.0 == IndexKind::Mirror) {
            layer.1 = Whitelist::strict(&["*"]).unwrap();
            layer.2 = !layer.2;
        }
        prop_assert_eq!(other.admit(), world.admit());
    }
}

fn file(filename: &str, mark: &str) -> PageFile {
    PageFile {
        filename: filename.to_owned(),
        url: format!("https://example.com/{mark}/{filename}"),
        hashes: Hashes::default(),
        requires_python: Some(format!(">=3.{}", mark.len())),
        size: Some(7),
        upload_time: Some("2026-11-23T10:00:00Z".to_owned()),
        yanked: Some(mark.to_owned()),
        core_metadata: CoreMetadata::Present,
        provenance: Some(format!("https://example.com/{mark}/provenance")),
        gpg_sig: Some(true),
    }
}

fn page(mark: &str, status: Option<&str>, files: &[&str], versions: &[&str]) -> ProjectPage {
    ProjectPage {
        name: project("a"),
        status: status.map(|status| ProjectStatus {
            status: status.to_owned(),
            reason: Some(mark.to_owned()),
        }),
        versions: versions.iter().map(ToString::to_string).collect(),
        files: files.iter().map(|filename| file(filename, mark)).collect(),
        last_serial: Some(mark.len() as u64),
    }
}

fn merged(pages: &[ProjectPage]) -> ProjectPage {
    merge_pages(&project("a"), pages.iter().cloned().enumerate().collect())
}

#[test]
fn the_nearest_file_of_a_name_stays_with_all_its_keys() {
    let near = page(
        "near",
        None,
        &["a-1.tar.gz", "a-2.tar.gz"],
        &["2", "1", "0"],
    );
    let far = page("far", None, &["a-2.tar.gz", "a-3.tar.gz"], &["3", "2"]);
    let both = merged(&[near.clone(), far.clone()]);
    assert_eq!(
        both.files,
        [
            file("a-1.tar.gz", "near"),
            file("a-2.tar.gz", "near"),
            file("a-3.tar.gz", "far")
        ]
    );
    assert_eq!(both.versions, ["2", "1", "0", "3"]);
    assert_eq!(both.last_serial, None);
    let out_of_order = merge_pages(&project("a"), vec![(5, far), (1, near)]);
    assert_eq!(out_of_order, both);
}

#[test]
fn names_that_differ_in_spelling_are_different_names() {
    let near = page("near", None, &["A-1.tar.gz"], &["1"]);
    let far = page("far", None, &["a-1.tar.gz"], &["1.0"]);
    let both = merged(&[near, far]);
    assert_eq!(both.files.len(), 2);
    assert_eq!(both.versions, ["1", "1.0"]);
}

#[test]
fn the_status_is_that_of_the_nearest_index() {
    let quiet = page("quiet", None, &["a-1.tar.gz"], &["1"]);
    let old = page("old", Some("archived"), &["a-2.tar.gz"], &["2"]);
    assert_eq!(merged(&[quiet.clone(), old.clone()]).status, None);
    assert_eq!(merged(&[old.clone(), quiet]).status, old.status);
}

#[test]
fn a_quarantine_takes_away_only_its_own_files() {
    let own = page("own", None, &["a-1.tar.gz"], &["1"]);
    let bad = page(
        "bad",
        Some("quarantined"),
        &["a-1.tar.gz", "a-2.tar.gz"],
        &["2"],
    );
    let other = page("other", None, &["a-2.tar.gz"], &["2"]);

    let all = merged(&[own, bad.clone(), other.clone()]);
    assert_eq!(
        all.files,
        [file("a-1.tar.gz", "own"), file("a-2.tar.gz", "other")]
    );
    assert_eq!(all.status, None);

    let alone = merged(std::slice::from_ref(&bad));
    assert_eq!(alone.files, []);
    assert_eq!(alone.status, bad.status);
    assert_eq!(alone.versions, ["2"]);
    assert_eq!(alone.last_serial, Some(3));
}

#[test]
fn nothing_merges_to_an_empty_page() {
    let nothing = merged(&[]);
    assert_eq!(
        (nothing.files.len(), nothing.versions.len(), nothing.status),
        (0, 0, None)
    );
}

#[test]
fn large_pages_merge_in_one_pass() {
    let many = |mark: &str, from: usize| {
        let filenames: Vec<String> = (from..from + 10_000)
            .map(|at| format!("a-{at}.tar.gz"))
            .collect();
        page(
            mark,
            None,
            &filenames.iter().map(String::as_str).collect::<Vec<_>>(),
            &[],
        )
    };
    let pages = [many("x", 0), many("yy", 5_000), many("zzz", 10_000)];
    assert_eq!(merged(&pages).files.len(), 20_000);
}

const STATUSES: [&str; 4] = ["active", "archived", "quarantined", "Quarantined"];

/// A page without status or with one of these.
fn any_page(statuses: &'static [&'static str]) -> impl Strategy<Value = ProjectPage> {
    let names = vec(
        select(&["a-1.zip", "a-2.zip", "a-3.zip", "a-4.zip"][..]),
        0..6,
    );
    let versions = vec(select(&["1", "2", "3", "1.0"][..]), 0..5);
    let parts = (
        "[a-z]{1,8}",
        proptest::option::of(select(statuses)),
        names,
        versions,
    );
    parts.prop_map(|(mark, status, names, versions)| page(&mark, status, &names, &versions))
}

/// 8.2, X-02 and S-38 word for word.
fn naive_merge(pages: &[ProjectPage]) -> (Vec<PageFile>, BTreeSet<String>) {
    let mut files: Vec<PageFile> = Vec::new();
    let mut versions = BTreeSet::new();
    for page in pages {
        versions.extend(page.versions.iter().cloned());
        let is_quarantined = page
            .status
            .as_ref()
            .is_some_and(|s| s.status.to_lowercase() == "quarantined");
        for new in page.files.iter().filter(|_| !is_quarantined) {
            if !files.iter().any(|file| file.filename == new.filename) {
                files.push(new.clone());
            }
        }
    }
    (files, versions)
}

proptest! {
    #[test]
    fn a_merged_page_is_the_rule_read_literally(pages in vec(any_page(&STATUSES), 0..5)) {
        let found = merged(&pages);
        let (files, versions) = naive_merge(&pages);
        prop_assert_eq!(&found.files, &files);
        prop_assert_eq!(found.versions.len(), versions.len());
        prop_assert_eq!(found.versions.iter().cloned().collect::<BTreeSet<_>>(), versions);
        prop_assert_eq!(found.status, pages.first().and_then(|page| page.status.clone()));
        // No key of a kept file is lost or mixed: each is word for word one of those given.
        let given: Vec<&PageFile> = pages.iter().flat_map(|page| &page.files).collect();
        prop_assert!(found.files.iter().all(|file| given.contains(&file)));
        let names: HashSet<&str> = found.files.iter().map(|file| file.filename.as_str()).collect();
        prop_assert_eq!(names.len(), found.files.len());
    }

    #[test]
    fn merging_in_steps_is_merging_at_once(pages in vec(any_page(&STATUSES[..2]), 2..5)) {
        // Without quarantined pages: the status of one would mark what it is merged with.
        let (near, far) = pages.split_at(1);
        let in_steps = merged(&[near[0].clone(), merged(far)]);
        let at_once = merged(&pages);
        prop_assert_eq!(in_steps.files, at_once.files);
        prop_assert_eq!(in_steps.versions, at_once.versions);
        prop_assert_eq!(in_steps.status, at_once.status);
    }
}
