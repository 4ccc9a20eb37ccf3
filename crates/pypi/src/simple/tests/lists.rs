//! Project lists, written and read.

use super::*;

#[test]
fn project_lists() {
    let names: Vec<ProjectName> = ["a", "b-c"].map(|name| name.parse().unwrap()).to_vec();
    let json = write_project_list_json(names.iter(), Some(3));
    let text = r#"{"meta":{"api-version":"1.4","_last-serial":3},"projects":[{"name":"a"},{"name":"b-c"}]}"#;
    assert_eq!(String::from_utf8(json.clone()).unwrap(), text);
    assert_eq!(read_project_list_json(&json).unwrap(), names);
    let html = write_project_list_html(names.iter(), None);
    assert_eq!(
        String::from_utf8(html.clone()).unwrap(),
        "<!DOCTYPE html>\n<html><head><meta name=\"pypi:repository-version\" content=\"1.4\">\
         <title>Simple index</title></head>\n<body>\n<a href=\"a/\">a</a><br>\n\
         <a href=\"b-c/\">b-c</a><br>\n</body></html>\n"
    );
    assert_eq!(read_project_list_html(&html).unwrap(), names);
    let none = std::iter::empty();
    assert_eq!(
        write_project_list_json(none.clone(), None),
        br#"{"meta":{"api-version":"1.4"},"projects":[]}"#
    );
    assert_eq!(
        read_project_list_html(&write_project_list_html(none, Some(1))).unwrap(),
        []
    );
}

#[test]
fn s05_foreign_project_lists() {
    let odd = json!({"projects": [
        {"name": "B_c"}, {"name": "b.c"}, {"name": "-bad"}, {"name": null}, {}, {"name": "a", "_last-serial": "1"}
    ]});
    let expected: Vec<ProjectName> = ["a", "b-c"].map(|name| name.parse().unwrap()).to_vec();
    assert_eq!(
        read_project_list_json(odd.to_string().as_bytes()).unwrap(),
        expected
    );
    let odd = "<a href='/simple/B_c/'>x</a> <a href=https://h.example.com/simple/a/?x#y>a</a>\
               <a href='../'>up</a><a href='javascript:void(0)'>x</a><a>y</a>";
    assert_eq!(read_project_list_html(odd.as_bytes()).unwrap(), expected);
    for document in [
        "{}",
        "[]",
        r#"{"projects":{}}"#,
        r#"{"meta":{"api-version":"2.0"},"projects":[]}"#,
    ] {
        assert!(
            read_project_list_json(document.as_bytes()).is_err(),
            "{document}"
        );
    }
    assert!(matches!(
        read_project_list_html(b""),
        Err(PageError::NotAPage)
    ));
}
