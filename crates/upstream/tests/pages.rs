//! Project pages and project lists from an index that is healthy, odd or broken.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::{MAX_PAGE_BYTES, ask, endpoint, fresh, page_error, upstreams, with_timeout};
use larder_pypi::simple::CoreMetadata;
use larder_testkit::{Answer, DistBuilder, FakeIndex, Fault};
use larder_upstream::{Error, PageAnswer, Validators};

async fn index_with_demo() -> FakeIndex {
    let index = FakeIndex::start().await;
    index.add(
        &DistBuilder::wheel("demo", "1.0")
            .requires_python(">=3.9")
            .build(),
    );
    index.add(&DistBuilder::sdist("demo", "1.0").build());
    index
}

fn made_up(content_type: &str, body: &str) -> Fault {
    let headers = vec![("content-type".to_owned(), content_type.to_owned())];
    Fault::Answer(Answer {
        status: 200,
        headers,
        body: body.to_owned(),
    })
}

#[tokio::test]
async fn a_json_page_is_read_with_everything_around_it() {
    let index = index_with_demo().await;
    index.set_serial("demo", Some(42));
    index.set_max_age(Some(600));
    let fresh = fresh(&index).await;
    assert_eq!(fresh.serial, Some(42));
    assert_eq!(fresh.max_age, Some(Duration::from_mins(10)));
    assert!(fresh.validators.etag.is_some());
    let wheel = fresh
        .page
        .files
        .iter()
        .find(|file| file.filename.ends_with("whl"))
        .unwrap();
    assert_eq!(
        wheel.url,
        index.file_url("demo-1.0-py3-none-any.whl").as_str()
    );
    assert_eq!(wheel.requires_python.as_deref(), Some(">=3.9"));
    assert!(matches!(wheel.core_metadata, CoreMetadata::Sha256(_)));
    assert_eq!(fresh.page.files.len(), 2);
}

#[tokio::test]
async fn the_request_is_the_one_of_the_contract() {
    let index = index_with_demo().await;
    fresh(&index).await;
    let seen = index.seen();
    assert_eq!(seen.len(), 1, "no redirect is needed: {seen:?}");
    let request = &seen[0];
    assert_eq!(request.path, "/simple/demo/");
    let accept = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01";
    assert_eq!(request.header("accept"), Some(accept));
    assert_eq!(request.header("accept-encoding"), Some("gzip"));
    assert_eq!(request.header("user-agent"), Some("Larder/test"));
    for name in ["authorization", "cookie", "referer", "if-none-match"] {
        assert_eq!(request.header(name), None, "{name}");
    }
}

#[tokio::test]
async fn html_is_read_when_there_is_nothing_better() {
    let index = index_with_demo().await;
    let from_json = fresh(&index).await.page;
    for fault in [Fault::HtmlOnly, Fault::NotAcceptable] {
        index.forget_hits();
        index.fault("/simple/demo/", fault.clone());
        let from_html = fresh(&index).await.page;
        let names = |files: &[larder_pypi::simple::PageFile]| -> Vec<_> {
            files
                .iter()
                .map(|file| (file.filename.clone(), file.url.clone(), file.hashes.clone()))
                .collect()
        };
        assert_eq!(
            names(&from_html.files),
            names(&from_json.files),
            "{fault:?}"
        );
        index.clear_faults();
    }
    assert_eq!(
        index.seen().last().unwrap().header("accept"),
        Some("text/html")
    );
}

#[tokio::test]
async fn json_under_another_name_is_read_too() {
    let index = index_with_demo().await;
    index.fault(
        "/simple/demo/",
        Fault::ContentType("Application/JSON; charset=utf-8".to_owned()),
    );
    assert_eq!(fresh(&index).await.page.files.len(), 2);
    index.clear_faults();
    index.fault(
        "/simple/demo/",
        made_up("application/json", "{\"detail\": \"no such project\"}"),
    );
    assert!(matches!(page_error(&index).await, Error::BadAnswer { .. }));
}

#[tokio::test]
async fn a_known_page_is_revalidated() {
    let index = index_with_demo().await;
    let known = fresh(&index).await.validators;
    index.set_max_age(Some(60));
    let answer = ask(&index, &known).await.unwrap();
    assert!(
        matches!(answer, PageAnswer::NotModified { max_age: Some(age) } if age.as_secs() == 60),
        "{answer:?}"
    );
    index.add(&DistBuilder::wheel("demo", "2.0").build());
    let answer = ask(&index, &known).await.unwrap();
    assert!(matches!(answer, PageAnswer::Fresh(fresh) if fresh.page.files.len() == 3));
}

#[tokio::test]
async fn last_modified_validates_where_there_is_no_etag() {
    let index = index_with_demo().await;
    let date = "Tue, 02 Jan 2024 03:04:05 GMT";
    let page = "<!DOCTYPE html><a href=\"/f/demo-1.0.tar.gz\">demo-1.0.tar.gz</a>";
    let headers = [("content-type", "text/html"), ("last-modified", date)];
    let headers = headers
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    let answer = Answer {
        status: 200,
        headers,
        body: page.to_owned(),
    };
    index.fault("/simple/demo/", Fault::Answer(answer));
    let validators = fresh(&index).await.validators;
    assert_eq!(
        validators,
        Validators {
            etag: None,
            last_modified: Some(date.to_owned())
        }
    );
    index.clear_faults();
    index.fault("/simple/demo/", Fault::Status(304));
    assert!(matches!(
        ask(&index, &validators).await.unwrap(),
        PageAnswer::NotModified { max_age: None }
    ));
    assert_eq!(
        index.seen().last().unwrap().header("if-modified-since"),
        Some(date)
    );
}

#[tokio::test]
async fn a_304_that_nobody_asked_for_is_not_believed() {
    let index = index_with_demo().await;
    index.fault_times("/simple/demo/", 1, Fault::Status(304));
    assert_eq!(fresh(&index).await.page.files.len(), 2);
    assert_eq!(
        index.seen().last().unwrap().header("cache-control"),
        Some("no-cache")
    );
    index.fault("/simple/demo/", Fault::Status(304));
    assert!(matches!(
        page_error(&index).await,
        Error::Status { code: 304, .. }
    ));
}

#[tokio::test]
async fn missing_is_an_answer_and_refused_is_an_error() {
    let index = index_with_demo().await;
    for code in [404, 410] {
        index.fault("/simple/demo/", Fault::Status(code));
        let answer = ask(&index, &Validators::default()).await.unwrap();
        assert!(matches!(answer, PageAnswer::Missing), "{code}: {answer:?}");
        index.clear_faults();
    }
    for code in [401, 403, 429, 500, 503, 204, 206, 300] {
        index.fault("/simple/demo/", Fault::Status(code));
        let error = page_error(&index).await;
        assert!(
            matches!(error, Error::Status { code: found, .. } if found == code),
            "{code}: {error:?}"
        );
        index.clear_faults();
    }
}

#[tokio::test]
async fn the_upstream_may_say_how_long_to_stay_away() {
    let index = index_with_demo().await;
    let headers = vec![("retry-after".to_owned(), "120".to_owned())];
    index.fault(
        "/simple/demo/",
        Fault::Answer(Answer {
            status: 429,
            headers,
            body: String::new(),
        }),
    );
    assert_eq!(
        page_error(&index).await.retry_after(),
        Some(Duration::from_mins(2))
    );
}

#[tokio::test]
async fn what_is_no_page_is_not_believed() {
    let index = index_with_demo().await;
    let other = "{\"meta\": {\"api-version\": \"1.0\"}, \"name\": \"other\", \"files\": []}";
    let json = "application/vnd.pypi.simple.v1+json";
    let table = [
        Fault::BadJson,
        Fault::DeepJson,
        Fault::EmptyBody,
        Fault::CaptivePortal,
        made_up(json, "{\"files\": {}}"),
        made_up(json, other),
        made_up("application/zip", "PK"),
        made_up("", "{}"),
    ];
    for fault in table {
        index.fault("/simple/demo/", fault.clone());
        let error = page_error(&index).await;
        assert!(
            matches!(error, Error::BadAnswer { .. }),
            "{fault:?}: {error:?}"
        );
        index.clear_faults();
    }
}

#[tokio::test]
async fn a_page_that_breaks_off_is_not_believed() {
    let index = index_with_demo().await;
    index.fault("/simple/demo/", Fault::CutAfter(200));
    assert!(matches!(page_error(&index).await, Error::Cut { .. }));
    index.fault("/simple/demo/", Fault::NoLength);
    assert!(
        matches!(page_error(&index).await, Error::Cut { .. }),
        "nor when it comes in chunks"
    );
}

#[tokio::test]
async fn pages_have_a_limit_packed_or_not() {
    let index = index_with_demo().await;
    index.fault("/simple/demo/", Fault::GzipBomb(MAX_PAGE_BYTES + 1));
    assert!(matches!(page_error(&index).await, Error::TooLarge { .. }));
    index.clear_faults();
    index.fault("/simple/demo/", Fault::GzipBomb(MAX_PAGE_BYTES));
    assert!(
        fresh(&index).await.page.files.is_empty(),
        "what fits is read, on another thread"
    );
    index.clear_faults();
    let long = "x".repeat(usize::try_from(MAX_PAGE_BYTES).unwrap() + 1);
    for fault in [None, Some(Fault::NoLength)] {
        index.fault("/simple/demo/", made_up("text/html", &long));
        if let Some(fault) = fault {
            index.fault("/simple/demo/", fault);
        }
        assert!(matches!(page_error(&index).await, Error::TooLarge { .. }));
        index.clear_faults();
    }
}

#[tokio::test]
async fn an_encoding_that_was_not_asked_for_is_refused() {
    let index = index_with_demo().await;
    let headers = [("content-type", "text/html"), ("content-encoding", "br")];
    let headers = headers
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    index.fault(
        "/simple/demo/",
        Fault::Answer(Answer {
            status: 200,
            headers,
            body: "x".to_owned(),
        }),
    );
    assert!(matches!(page_error(&index).await, Error::BadAnswer { .. }));
}

#[tokio::test]
async fn one_deadline_holds_for_silence_and_for_dripping() {
    let index = index_with_demo().await;
    let hasty = with_timeout(Duration::from_millis(200));
    let demo = "demo".parse().unwrap();
    for fault in [Fault::Hang, Fault::StallAfter(10), Fault::Drip(2)] {
        index.fault("/simple/demo/", fault.clone());
        let error = hasty
            .project_page(&endpoint(&index), &demo, &Validators::default())
            .await
            .unwrap_err();
        assert!(error.is_timeout(), "{fault:?}: {error:?}");
        index.clear_faults();
    }
}

#[tokio::test]
async fn an_upstream_that_is_down_or_resets_is_unreachable() {
    let index = index_with_demo().await;
    index.fault("/simple/demo/", Fault::Reset);
    let error = page_error(&index).await;
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert_eq!(index.hits("/simple/demo/"), 2, "one more try, no storm");
    index.clear_faults();
    index.set_down(true).await;
    let error = page_error(&index).await;
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(
        error.sentence().contains("Connection refused"),
        "{}",
        error.sentence()
    );
    index.set_down(false).await;
    fresh(&index).await;
}

#[tokio::test]
async fn a_connection_that_broke_once_is_tried_again() {
    let index = index_with_demo().await;
    index.fault_times("/simple/demo/", 1, Fault::Reset);
    assert_eq!(fresh(&index).await.page.files.len(), 2);
}

#[tokio::test]
async fn the_project_list_is_read_in_both_formats() {
    let index = index_with_demo().await;
    index.add_project("other.project");
    for fault in [None, Some(Fault::HtmlOnly)] {
        if let Some(fault) = fault {
            index.fault("/simple/", fault);
        }
        let names = upstreams().project_list(&endpoint(&index)).await.unwrap();
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        assert_eq!(names, ["demo", "other-project"]);
    }
    index.fault("/simple/", Fault::Status(404));
    assert!(
        upstreams()
            .project_list(&endpoint(&index))
            .await
            .unwrap_err()
            .is_missing()
    );
}
