//! The negotiation matrix of the standards contract, part 2.3 and 14.3.

use proptest::prelude::*;

use super::*;

const JSON: &str = "application/vnd.pypi.simple.v1+json";
const HTML_V1: &str = "application/vnd.pypi.simple.v1+html";

fn format(accept: &str) -> PageFormat {
    page_format(Some(accept), None).unwrap()
}

#[test]
fn s10_what_clients_really_send() {
    let cases = [
        // pip, pdm, renovate
        (
            format!("{JSON}, {HTML_V1}; q=0.1, text/html; q=0.01"),
            PageFormat::Json,
        ),
        // uv
        (
            format!("{JSON}, {HTML_V1};q=0.2, text/html;q=0.01"),
            PageFormat::Json,
        ),
        // poetry
        (format!("{JSON}, */*;q=0.1"), PageFormat::Json),
        // devpi as a mirror
        (
            format!("{HTML_V1};q=0.2, {JSON}, text/html;q=0.01"),
            PageFormat::Json,
        ),
        // browsers, curl, hatch
        (
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8".to_owned(),
            PageFormat::Html,
        ),
        ("*/*".to_owned(), PageFormat::Html),
        // devpi-client
        ("application/json".to_owned(), PageFormat::Html),
    ];
    for (accept, expected) in cases {
        assert_eq!(format(&accept), expected, "{accept}");
    }
    assert_eq!(page_format(None, None), Ok(PageFormat::Html));
}

#[test]
fn s10_rules() {
    let cases = [
        // no member fits
        ("", PageFormat::Html),
        ("image/png", PageFormat::Html),
        ("application/vnd.pypi.simple.v9+json", PageFormat::Html),
        (",,;;=,q=", PageFormat::Html),
        ("\u{1f600}", PageFormat::Html),
        // wildcards only
        ("application/*", PageFormat::Html),
        ("text/*, */*;q=0.1", PageFormat::Html),
        ("*/*;q=0", PageFormat::Html),
        // named beats wildcard, whatever the quality
        (
            "*/*;q=0.1, application/vnd.pypi.simple.v1+json",
            PageFormat::Json,
        ),
        (
            "*/*, application/vnd.pypi.simple.v1+json;q=0.1",
            PageFormat::Json,
        ),
        (
            "application/vnd.pypi.simple.v1+html;q=0.001, */*",
            PageFormat::HtmlV1,
        ),
        // ties
        (
            "text/html, application/vnd.pypi.simple.v1+html, application/vnd.pypi.simple.v1+json",
            PageFormat::Json,
        ),
        (
            "text/html, application/vnd.pypi.simple.v1+html",
            PageFormat::HtmlV1,
        ),
        // quality decides between names
        (
            "application/vnd.pypi.simple.v1+json;q=0.1, text/html;q=0.2",
            PageFormat::Html,
        ),
        // q=0 excludes
        (
            "application/vnd.pypi.simple.v1+json;q=0, text/html;q=0.1",
            PageFormat::Html,
        ),
        (
            "application/vnd.pypi.simple.v1+json;q=0.000",
            PageFormat::Html,
        ),
        ("text/html;q=0, */*", PageFormat::HtmlV1),
        (
            "text/html;q=0, application/vnd.pypi.simple.v1+html;q=0, */*;q=0.5",
            PageFormat::Json,
        ),
        // latest means v1
        ("application/vnd.pypi.simple.latest+json", PageFormat::Json),
        (
            "application/vnd.pypi.simple.latest+html",
            PageFormat::HtmlV1,
        ),
        // letter case, other parameters, white space
        ("APPLICATION/VND.PYPI.SIMPLE.V1+JSON", PageFormat::Json),
        (
            "application/vnd.pypi.simple.v1+json; level=1; Q=0.5 ,text/html ;q = 0.4",
            PageFormat::Json,
        ),
        // a malformed quality drops its member
        (
            "application/vnd.pypi.simple.v1+json;q=high, text/html",
            PageFormat::Html,
        ),
        (
            "application/vnd.pypi.simple.v1+json;q=1.5, text/html;q=0.1",
            PageFormat::Html,
        ),
        (
            "application/vnd.pypi.simple.v1+json;q=.5, text/html;q=0.4",
            PageFormat::Json,
        ),
    ];
    for (accept, expected) in cases {
        assert_eq!(format(accept), expected, "{accept}");
    }
}

#[test]
fn s10_format_parameter_beats_accept() {
    let cases = [
        ("application/vnd.pypi.simple.v1+json", Ok(PageFormat::Json)),
        ("application/vnd.pypi.simple.v1 json", Ok(PageFormat::Json)),
        (
            "application/vnd.pypi.simple.latest+json",
            Ok(PageFormat::Json),
        ),
        (
            "application/vnd.pypi.simple.v1 html",
            Ok(PageFormat::HtmlV1),
        ),
        (
            "application/vnd.pypi.simple.latest html",
            Ok(PageFormat::HtmlV1),
        ),
        ("text/html", Ok(PageFormat::Html)),
        ("Text/HTML", Ok(PageFormat::Html)),
        ("", Err(UnknownFormat)),
        ("json", Err(UnknownFormat)),
        ("application/json", Err(UnknownFormat)),
        ("*/*", Err(UnknownFormat)),
    ];
    for (param, expected) in cases {
        assert_eq!(page_format(Some(HTML_V1), Some(param)), expected, "{param}");
        assert_eq!(page_format(None, Some(param)), expected, "{param}");
    }
}

#[test]
fn s11_content_types_are_exact() {
    assert_eq!(PageFormat::Json.content_type(), JSON);
    assert_eq!(PageFormat::HtmlV1.content_type(), HTML_V1);
    assert_eq!(PageFormat::Html.content_type(), "text/html; charset=utf-8");
}

#[test]
fn b22_a_list_past_the_limit_is_cut_between_members() {
    // The last member within the limit would read `q=0` if cut in the middle.
    let padding = "image/png,".repeat(816);
    let list = format!("{padding}{JSON};q=0.9,text/html;q=0.8");
    assert!(padding.len() < MAX_HEADER_BYTES && list.len() > MAX_HEADER_BYTES);
    assert_eq!(format(&list), PageFormat::Html);
    let list = format!("{JSON};q=0.2,{}", "text/html;q=0.1,".repeat(2000));
    assert_eq!(format(&list), PageFormat::Json);
    assert_eq!(format(&"x".repeat(30_000)), PageFormat::Html);
}

#[test]
fn json_api_only_when_preferred() {
    let cases = [
        ("application/json", true),
        ("Application/JSON; charset=utf-8", true),
        ("application/json, */*", true),
        ("application/json, text/plain, */*", true),
        (
            "application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7",
            true,
        ),
        ("text/html;q=0.5, application/json", true),
        ("application/json, text/html", false),
        ("application/json;q=0.5, text/html;q=0.4, image/png", false),
        ("text/html, application/json;q=0.9", false),
        (
            "application/vnd.pypi.simple.v1+json, application/json",
            false,
        ),
        ("application/json;q=0", false),
        ("application/*", false),
        ("*/*", false),
        ("", false),
    ];
    for (accept, expected) in cases {
        assert_eq!(prefers_json_api(Some(accept)), expected, "{accept}");
    }
    assert!(!prefers_json_api(None));
}

#[test]
fn devpi_installers() {
    let cases = [
        ("pip/26.3 {\"python\":\"3.13\"}", true),
        ("uv/0.13.9", true),
        ("pex/2.1", true),
        ("setuptools/80.0 Python-urllib/3.13", true),
        ("distribute/0.6", true),
        ("foo pip/1", true),
        ("Mozilla/5.0 pip/3 x", true),
        ("poetry/2.5.1", false),
        ("PDM/2.29", false),
        ("pipenv/2026", false),
        ("twine/7.0.0", false),
        ("pip-tools pip", false),
        ("xpip/1", false),
        ("", false),
    ];
    for (user_agent, expected) in cases {
        assert_eq!(is_installer(Some(user_agent)), expected, "{user_agent}");
    }
    assert!(!is_installer(None));
}

#[test]
fn codings() {
    let cases = [
        ("", Coding::Identity),
        ("identity", Coding::Identity),
        ("br", Coding::Identity),
        ("gzip, deflate", Coding::Gzip),
        ("X-GZIP", Coding::Gzip),
        ("gzip, deflate, zstd", Coding::Zstd),
        ("zstd,gzip,deflate", Coding::Zstd),
        ("gzip, deflate, br, zstd", Coding::Zstd),
        ("zstd;q=0.5, gzip", Coding::Gzip),
        ("zstd;q=0, gzip", Coding::Gzip),
        ("gzip;q=0", Coding::Identity),
        ("identity;q=0, gzip;q=0", Coding::Identity),
        ("gzip;q=0.5, identity", Coding::Identity),
        ("gzip;q=0.5, identity;q=0.5", Coding::Gzip),
        ("gzip;q=0.1", Coding::Gzip),
        ("*", Coding::Gzip),
        ("*;q=0", Coding::Identity),
        ("gzip;q=0, *", Coding::Identity),
        ("zstd, *;q=0", Coding::Zstd),
    ];
    for (accept, expected) in cases {
        assert_eq!(coding(Some(accept)), expected, "{accept}");
    }
    assert_eq!(coding(None), Coding::Identity);
}

proptest! {
    #[test]
    fn any_text_has_an_answer(text in ".{0,200}", param in proptest::option::of(".{0,40}")) {
        let _ = page_format(Some(&text), param.as_deref());
        let _ = prefers_json_api(Some(&text));
        let _ = is_installer(Some(&text));
        let _ = coding(Some(&text));
    }

    #[test]
    fn order_of_members_does_not_matter(
        mut members in proptest::collection::vec(
            ("(text/html|application/vnd\\.pypi\\.simple\\.v1\\+(json|html)|\\*/\\*|application/\\*)", 0_u16..=10),
            1..6,
        )
    ) {
        let list = |members: &[(String, u16)]| -> String {
            let written = members.iter().map(|(name, tenths)| {
                format!("{name};q={}.{}", tenths / 10, tenths % 10)
            });
            written.collect::<Vec<_>>().join(", ")
        };
        let there = format(&list(&members));
        members.reverse();
        prop_assert_eq!(there, format(&list(&members)));
    }
}
