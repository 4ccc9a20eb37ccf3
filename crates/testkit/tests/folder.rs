//! The command: a folder of distributions becomes an index, and follows the
//! folder while it runs.
#![expect(clippy::unwrap_used, reason = "tests")]

use larder_testkit::{DistBuilder, FakeIndex, Options};
use serde_json::Value;

async fn page(index: &FakeIndex, project: &str) -> Option<Value> {
    let port = index.url.port().unwrap();
    let path = index.page_path(project);
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: fake\r\nConnection: close\r\nAccept: application/vnd.pypi.simple.v1+json\r\n\r\n"
    );
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes())
        .await
        .unwrap();
    let mut raw = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut raw)
        .await
        .unwrap();
    let (head, body) = raw.split_once("\r\n\r\n").unwrap();
    head.starts_with("HTTP/1.1 200 ")
        .then(|| serde_json::from_str(body).unwrap())
}

#[tokio::test]
async fn a_folder_is_followed_while_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        folder: Some(folder.path().to_owned()),
        workers: 2,
        ..Options::default()
    };
    let index = FakeIndex::start_with(options).await.unwrap();
    assert_eq!(page(&index, "demo").await, None);

    let wheel = DistBuilder::wheel("demo", "1.0")
        .requires_python(">=3.9")
        .build();
    let written = wheel.write_into(folder.path()).unwrap();
    DistBuilder::sdist("demo", "1.0")
        .build()
        .write_into(folder.path())
        .unwrap();
    std::fs::write(folder.path().join("README"), "no distribution").unwrap();
    let both = page(&index, "demo").await.unwrap();
    let names: Vec<&str> = both["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["filename"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"]);
    assert_eq!(both["files"][0]["requires-python"], ">=3.9");
    assert!(both["files"][0]["core-metadata"]["sha256"].is_string());

    std::fs::remove_file(written).unwrap();
    assert_eq!(
        page(&index, "demo").await.unwrap()["files"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}
