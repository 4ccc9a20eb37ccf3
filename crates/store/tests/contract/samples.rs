//! Values to test with.

use larder_model::{IndexName, Timestamp, UserName};
use larder_pypi::simple::{CoreMetadata, PageFile, ProjectPage};
use larder_pypi::{Digest, Hashes, ProjectName};
use larder_store::{
    Area, FileRole, IndexRow, NewFile, NewIndex, NewMirrorPage, NewRelease, NewUser, Store, Tx,
    User,
};
use serde_json::{Map, Value, json};

/// A point in time; a larger number is later.
pub(crate) fn at(number: i64) -> Timestamp {
    Timestamp::from_micros(1_795_428_000_000_000 + number)
}

pub(crate) fn user(name: &str) -> UserName {
    name.parse().unwrap()
}

pub(crate) fn index(name: &str) -> IndexName {
    name.parse().unwrap()
}

pub(crate) fn project(name: &str) -> ProjectName {
    name.parse().unwrap()
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else {
        panic!("not an object: {value}")
    };
    map
}

/// A digest; the same number gives the same one.
pub(crate) fn digest(number: u8) -> Digest {
    Digest::from_bytes([number; 32])
}

pub(crate) fn new_user(name: &str) -> NewUser {
    let profile = object(json!({"email": format!("{name}@example.com")}));
    NewUser {
        name: user(name),
        pwhash: Some(format!("hash of {name}")),
        profile,
    }
}

pub(crate) fn new_index(name: &str) -> NewIndex {
    let config = object(json!({"type": "stage", "volatile": true, "bases": ["root/pypi"]}));
    NewIndex {
        name: index(name),
        config,
        private_upstream: false,
    }
}

pub(crate) fn release(index_id: i64, name: &str, version: &str) -> NewRelease {
    let metadata =
        object(json!({"name": name, "version": version, "classifiers": ["A", "ü\u{0}"]}));
    NewRelease {
        index_id,
        project: project(name),
        version: version.to_owned(),
        metadata,
    }
}

/// A wheel; the same number gives the same bytes.
pub(crate) fn wheel(index_id: i64, name: &str, version: &str, number: u8) -> NewFile {
    let hex = digest(number).to_string();
    NewFile {
        index_id,
        project: project(name),
        version: version.to_owned(),
        filename: format!("{name}-{version}-py3-none-any.whl"),
        kind: FileRole::Release,
        area: Area::Hash,
        dir: format!("{}/{}", &hex[..3], &hex[3..16]),
        digest: digest(number),
        size: 1000 + u64::from(number),
        hashes: Hashes::of(digest(number)),
        requires_python: Some(">=3.9".to_owned()),
        yanked: None,
        metadata_digest: Some(digest(number.wrapping_add(100))),
        uploaded: at(i64::from(number)),
        last_modified: None,
        url: None,
        log: vec![json!({"what": "upload", "who": "alice", "dst": "alice/dev"})],
    }
}

/// What a test run said about a wheel.
pub(crate) fn toxresult(about: &NewFile, number: u8) -> NewFile {
    let filename = format!("{}.toxresult-20261123115955-{number}", about.filename);
    NewFile {
        filename,
        kind: FileRole::Toxresult,
        metadata_digest: None,
        ..about.clone()
    }
}

/// A mirror's wheel as the upstream has it.
pub(crate) fn cached_wheel(index_id: i64, name: &str, version: &str, number: u8) -> NewFile {
    let url = Some(format!("https://files.example.com/{name}-{version}.whl"));
    let last_modified = Some("Mon, 23 Nov 2026 10:00:00 GMT".to_owned());
    NewFile {
        url,
        last_modified,
        log: Vec::new(),
        ..wheel(index_id, name, version, number)
    }
}

/// The path below the index.
pub(crate) fn path_of(file: &NewFile) -> String {
    format!("{}/{}/{}", file.area.as_str(), file.dir, file.filename)
}

pub(crate) fn page(name: &str, files: usize) -> NewMirrorPage {
    let files = (0..files).map(|number| PageFile {
        filename: format!("{name}-{number}.tar.gz"),
        url: format!("https://files.example.com/{name}-{number}.tar.gz"),
        hashes: Hashes::of(digest(u8::try_from(number % 256).unwrap())),
        requires_python: (number % 2 == 0).then(|| ">=3.9,<4".to_owned()),
        size: Some(u64::try_from(number).unwrap()),
        upload_time: Some("2026-11-23T10:00:00.000000Z".to_owned()),
        yanked: (number % 5 == 0).then(String::new),
        core_metadata: CoreMetadata::Sha256(digest(9)),
        provenance: None,
        gpg_sig: Some(false),
    });
    NewMirrorPage {
        etag: Some("\"abc\"".to_owned()),
        last_modified: Some("Mon, 23 Nov 2026 10:00:00 GMT".to_owned()),
        fetched: at(1),
        page: ProjectPage {
            name: project(name),
            status: None,
            versions: vec!["0".to_owned(), "1".to_owned()],
            files: files.collect(),
            last_serial: Some(42),
        },
    }
}

/// Makes a user.
pub(crate) async fn make_user(tx: &mut Tx, name: &str) -> User {
    tx.insert_user(new_user(name), at(0), None).await.unwrap()
}

/// Makes an index, and its user if need be, in a transaction of its own.
pub(crate) async fn make_index(store: &Store, name: &str) -> IndexRow {
    let mut tx = store.write().await.unwrap();
    let owner = index(name).user().clone();
    if tx.find_user(&owner).await.unwrap().is_none() {
        make_user(&mut tx, owner.as_str()).await;
    }
    let row = tx
        .insert_index(new_index(name), at(0), Some(&owner))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    row
}

/// Uploads a wheel, with its release, in a transaction of its own.
pub(crate) async fn upload(store: &Store, file: NewFile) -> i64 {
    let mut tx = store.write().await.unwrap();
    let id = upload_in(&mut tx, file).await;
    tx.commit().await.unwrap();
    id
}

pub(crate) async fn upload_in(tx: &mut Tx, file: NewFile) -> i64 {
    let release = release(file.index_id, file.project.as_str(), &file.version);
    tx.upsert_release(release, at(1), None).await.unwrap();
    tx.insert_file(file, at(1), Some(&user("alice")))
        .await
        .unwrap()
        .id
}
