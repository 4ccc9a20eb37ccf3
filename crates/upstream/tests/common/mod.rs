//! What the tests of `Upstreams` share.
#![allow(
    clippy::allow_attributes,
    dead_code,
    reason = "every test file uses some of it"
)]

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use larder_testkit::FakeIndex;
use larder_upstream::{
    Addresses, Endpoint, Error, FileAnswer, FreshPage, PageAnswer, Settings, Upstreams, Validators,
};
use url::Url;

pub(crate) const MAX_PAGE_BYTES: u64 = 1 << 20;

pub(crate) fn upstreams() -> Upstreams {
    with_timeout(Duration::from_secs(10))
}

/// For tests of what takes too long.
pub(crate) fn with_timeout(request_timeout: Duration) -> Upstreams {
    let user_agent = "Larder/test".to_owned();
    Upstreams::new(Settings {
        request_timeout,
        user_agent,
        max_page_bytes: MAX_PAGE_BYTES,
    })
    .unwrap()
}

/// The fake index, private address and all.
pub(crate) fn endpoint(index: &FakeIndex) -> Endpoint {
    Endpoint::new(index.url.clone(), None, Addresses::Any)
}

pub(crate) async fn ask(index: &FakeIndex, validators: &Validators) -> Result<PageAnswer, Error> {
    upstreams()
        .project_page(&endpoint(index), &"demo".parse().unwrap(), validators)
        .await
}

pub(crate) async fn fresh(index: &FakeIndex) -> FreshPage {
    match ask(index, &Validators::default()).await.unwrap() {
        PageAnswer::Fresh(page) => *page,
        other => panic!("expected a page, got {other:?}"),
    }
}

/// The error of asking for the page of `demo` without validators.
pub(crate) async fn page_error(index: &FakeIndex) -> Error {
    ask(index, &Validators::default()).await.unwrap_err()
}

/// The bytes of a body, and the error that it ended in.
pub(crate) async fn drain(answer: FileAnswer) -> (Vec<u8>, Option<Error>) {
    let mut body = answer.body;
    let (mut bytes, mut failed) = (Vec::new(), None);
    while let Some(item) = body.next().await {
        assert!(failed.is_none(), "nothing follows an error");
        match item {
            Ok(chunk) => bytes.extend_from_slice(&chunk),
            Err(error) => failed = Some(error),
        }
    }
    (bytes, failed)
}

/// An index, and a wheel on it whose module is so long that it comes in pieces.
pub(crate) async fn index_with_wheel() -> (FakeIndex, Bytes, Url) {
    let index = FakeIndex::start().await;
    let dist = larder_testkit::DistBuilder::wheel("demo", "1.0")
        .ballast("demo/data.bin", 300_000)
        .build();
    index.add(&dist);
    let url = index.file_url(&dist.filename);
    (index, dist.bytes, url)
}
