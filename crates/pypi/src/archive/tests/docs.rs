//! Documentation archives: what is let through, and what is read of it.

use std::io::{Cursor, Read};

use super::super::{DocPages, INDEX_PAGE, check_docs};
use super::build::{Zip, member};

#[test]
fn pages_are_found_and_unpacked() {
    let bytes = Zip::new(&[
        member(INDEX_PAGE, b"<h1>Demo</h1>"),
        member("api/", b"").stored(b""),
        member("api/a.html", b"page").stored(b"page"),
    ])
    .bytes();
    check_docs(Cursor::new(&bytes)).expect("a good archive");
    let pages = DocPages::read(Cursor::new(&bytes)).expect("a good archive");
    for (path, content) in [(INDEX_PAGE, "<h1>Demo</h1>"), ("api/a.html", "page")] {
        let page = pages.find(path).expect("a page");
        let mut out = Vec::new();
        let mut reader = page.open(Cursor::new(&bytes)).expect("opens");
        reader.read_to_end(&mut out).expect("unpacks");
        assert_eq!(out, content.as_bytes());
        assert_eq!(page.size(), content.len() as u64);
    }
    assert!(pages.find("api").is_none());
    assert!(pages.find("nope.html").is_none());
}

#[test]
fn a_page_that_was_damaged_since_is_an_error() {
    let bytes = Zip::new(&[member("a.html", b"page").stored(b"page")]).bytes();
    let pages = DocPages::read(Cursor::new(&bytes)).expect("a good archive");
    let at = bytes
        .windows(4)
        .position(|part| part == b"page")
        .expect("there");
    let mut damaged = bytes;
    damaged[at] ^= 1;
    let page = pages.find("a.html").expect("a page");
    let mut reader = page.open(Cursor::new(&damaged)).expect("opens");
    assert!(reader.read_to_end(&mut Vec::new()).is_err());
}

#[test]
fn f86_f90_what_is_no_good_zip_is_refused() {
    // F87: no link is ever made, because none is taken.
    let mut link = member("index.html", b"/etc/passwd");
    link.mode = 0o120_777;
    for bytes in [
        b"not a zip".to_vec(),
        Vec::new(),
        Zip::new(&[member("../slip.txt", b"x")]).bytes(),
        Zip::new(&[member("/slip.txt", b"x")]).bytes(),
        Zip::new(&[member("a", b"1"), member("a", b"2")]).bytes(),
        Zip::new(&[link]).bytes(),
    ] {
        assert!(check_docs(Cursor::new(bytes)).is_err());
    }
}
