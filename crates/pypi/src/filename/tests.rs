//! Tables of file names, real and hostile.

use proptest::prelude::*;

use super::*;

fn project(name: &str) -> ProjectName {
    name.parse().unwrap()
}

fn parts(parsed: &DistFilename) -> (&str, &str, FileKind) {
    (&parsed.name, &parsed.version, parsed.kind)
}

/// `filename` of `project` has this name, version and kind, and is listed.
fn check(project: &str, table: &[(&str, &str, &str, FileKind)]) {
    let project: ProjectName = project.parse().unwrap();
    for (filename, name, version, kind) in table {
        let parsed = parse(filename, Some(&project)).unwrap();
        assert_eq!(parts(&parsed), (*name, *version, *kind), "{filename}");
        assert!(is_listed(filename, &project), "{filename}");
    }
}

#[test]
fn archives_of_a_known_project() {
    use FileKind::{DocZip, Other, Sdist};
    let table = [
        ("demo-1.0.tar.gz", "demo", "1.0", Sdist),
        ("demo-1.0.tgz", "demo", "1.0", Sdist),
        ("demo-1.0.tar.bz2", "demo", "1.0", Sdist),
        ("demo-1.0.tar", "demo", "1.0", Sdist),
        ("demo-1.0.zip", "demo", "1.0", Sdist),
        ("demo-1.0.doc.zip", "demo", "1.0", DocZip),
        ("demo-1.0.DOC.zip", "demo", "1.0", DocZip),
        ("demo-1.0.TAR.GZ", "demo", "1.0", Other),
        ("demo-1.0-py3-none-any.WHL", "demo", "1.0", Other),
        ("demo-1.0+corp.3.tar.gz", "demo", "1.0+corp.3", Sdist),
        ("demo-1!1.0.tar.gz", "demo", "1!1.0", Sdist),
        ("demo-2004d.tar.gz", "demo", "2004d", Sdist),
        ("demo-v1.0.tar.gz", "demo", "v1.0", Sdist),
        ("demo-dev.tar.gz", "demo", "dev", Sdist),
        ("demo.tar.gz", "demo", "", Sdist),
        // split with the project's name, not at the last dash
        ("demo-1-2.tar.gz", "demo", "1-2", Sdist),
    ];
    check("demo", &table);
    check("demo-1", &[("demo-1-2.tar.gz", "demo-1", "2", Sdist)]);
    let spellings = [
        ("Demo.Pkg-1.0.tar.gz", "Demo.Pkg", "1.0", Sdist),
        ("demo__pkg-1.0.tar.gz", "demo__pkg", "1.0", Sdist),
        ("demo-pkg-2.8-1.zip", "demo-pkg", "2.8-1", Sdist),
    ];
    check("demo-pkg", &spellings);
}

#[test]
fn m08_wheels_of_a_known_project() {
    use FileKind::Wheel;
    let tags = "py2.py3-none-manylinux1_x86_64.manylinux2010_x86_64";
    let compressed = format!("demo-1.0-{tags}.whl");
    let table = [
        ("demo-1.0-py3-none-any.whl", "demo", "1.0", Wheel),
        ("demo-1.0-1-py3-none-any.whl", "demo", "1.0", Wheel),
        ("demo-1.0-py3-none-any-cu12.whl", "demo", "1.0", Wheel),
        (
            "demo-1.0-1a-cp313-cp313t-any-cu12.whl",
            "demo",
            "1.0",
            Wheel,
        ),
        (compressed.as_str(), "demo", "1.0", Wheel),
        ("demo-1.0+c_3-py3-none-any.whl", "demo", "1.0+c_3", Wheel),
        ("demo-2004d-py3-none-any.whl", "demo", "2004d", Wheel),
    ];
    check("demo", &table);
    let spellings = [
        ("demo_pkg-1.0-py3-none-any.whl", "demo_pkg", "1.0", Wheel),
        ("demo-pkg-1.0-py2-none-any.whl", "demo-pkg", "1.0", Wheel),
    ];
    check("demo-pkg", &spellings);
}

#[test]
fn u12_what_installers_do_not_take() {
    use FileKind::{Egg, Other};
    let table = [
        ("demo-1.0-py2.7.egg", "demo", "1.0", Egg),
        ("demo-1.0-py2.7-linux-x86_64.egg", "demo", "1.0", Egg),
        ("demo-1.0.win32-py2.7.exe", "demo", "1.0", Other),
        ("demo-1.0.win-amd64-py2.7.msi", "demo", "1.0", Other),
        ("demo-1.0.win32.exe", "demo", "1.0", Other),
        ("demo-1.0.linux-x86_64.tar.gz", "demo", "1.0", Other),
        ("demo-1.0.macosx-10.9-x86_64.dmg", "demo", "1.0", Other),
        ("demo-1.0-1.noarch.rpm", "demo", "1.0", Other),
        ("demo-1.0-1.src.rpm", "demo", "1.0", Other),
        ("demo-1.0.deb", "demo", "1.0", Other),
    ];
    check("demo", &table);
}

#[test]
fn names_of_an_unknown_project() {
    use FileKind::{Egg, Other, Sdist, Wheel};
    let cases = [
        ("demo-1.0.tar.gz", ("demo", "1.0", Sdist)),
        (
            "python-dateutil-2.8-1.zip",
            ("python-dateutil", "2.8-1", Sdist),
        ),
        ("foo-1-2.tar.gz", ("foo", "1-2", Sdist)),
        (
            "zope.interface-4.0.tar.gz",
            ("zope.interface", "4.0", Sdist),
        ),
        ("py-foo-2004d.tar.gz", ("py-foo", "2004d", Sdist)),
        ("foo-1.0-alpha.tar.gz", ("foo", "1.0-alpha", Sdist)),
        ("foo-py3-1.0.tar.gz", ("foo-py3", "1.0", Sdist)),
        ("foo-py3-1.0-py3.8.egg", ("foo-py3", "1.0", Egg)),
        ("foo-1.0.linux-x86_64.tar.gz", ("foo", "1.0", Other)),
        ("foo.tar.gz", ("foo", "", Sdist)),
        ("demo_pkg-1.0-py3-none-any.whl", ("demo_pkg", "1.0", Wheel)),
    ];
    for (filename, expected) in cases {
        let parsed = parse(filename, None).unwrap();
        assert_eq!(parts(&parsed), expected, "{filename}");
    }
}

#[test]
fn f12_to_f40_refused_names() {
    let long = format!("demo-{}.tar.gz", "1".repeat(255));
    let cases = [
        ("demo", "other-1.0.tar.gz"),
        ("de", "demo-1.0.tar.gz"),
        ("pkg", "pkg-extra-1.0.tar.gz"),
        ("pkg", "pkg.extra-1.0.tar.gz"),
        ("demo", "../../../../etc/cron.d/demo-1.0.tar.gz"),
        ("demo", "/etc/demo-1.0.tar.gz"),
        ("demo", "demo-1.0.tar.gz\0.exe"),
        ("demo", "demo-1.0.tar.gz\r\nX-I: 1"),
        ("demo", "demo-<img src=x onerror=alert(1)>-1.0.tar.gz"),
        ("demo", "d\u{e9}mo-1.0.tar.gz"),
        ("demo", "de\u{301}mo-1.0.tar.gz"),
        ("demo", "demo-1.0.tar.gz.asc"),
        ("demo", "demo-1.0"),
        ("demo", ".demo-1.0.tar.gz"),
        ("demo", ""),
        ("demo", "..."),
        ("demo", "demo-1.0.tar.xz"),
        ("demo", "demo-1.0-variants.json"),
        ("demo", "demo\\demo-1.0.tar.gz"),
        ("demo", "demo-1.0.tar.gz "),
        ("demo", "demo-1.0-any.whl"),
        ("demo", "demo-1.0.whl"),
        ("demo", "demo-1.0-py3--any.whl"),
        ("demo", "demo-1.0-x-py3-none-any-cu12.whl"),
        ("demo", "demo-1.0-1-2-py3-none-any.whl"),
        ("demo", "-1.0-py3-none-any.whl"),
        ("demo", long.as_str()),
    ];
    for (name, filename) in cases {
        let error = parse(filename, Some(&project(name))).unwrap_err();
        let message = error.to_string();
        assert!(message.chars().all(is_graphic), "{message}");
        assert!(message.len() < 300, "{message}");
    }
}

#[test]
fn refusals_read_like_devpis() {
    let cases = [
        (
            "other-1.0.tar.gz",
            "filename 'other-1.0.tar.gz' does not match project name 'demo'",
        ),
        ("demo-1.0.txt", "'demo-1.0.txt' is not a valid archive name"),
        ("d\u{e9}mo\n.zip", "'d?mo?.zip' is not a valid archive name"),
    ];
    for (filename, expected) in cases {
        let error = parse(filename, Some(&project("demo"))).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn safe_filenames() {
    for good in [
        "a",
        "Foo Bar-1.0 (2).zip",
        "a~b@c,d=e+f!g_h-i.j",
        "demo-1.0.tar.gz.toxresult-2026-0",
    ] {
        assert!(is_safe_filename(good), "{good}");
    }
    let long = "a".repeat(256);
    let bad = [
        "", ".", "..", ".hidden", " a", "a ", "a/b", "a\\b", "a\tb", "a\0", "a<b", "a\"b", "a%2fb",
        "a?b", "a#b", "a:b", "é", &long,
    ];
    for bad in bad {
        assert!(!is_safe_filename(bad), "{bad:?}");
    }
    assert!(is_safe_filename(&long[1..]));
}

#[test]
fn m05_spellings_of_one_file() {
    let same = [
        ("Demo.Pkg-1.0.tar.gz", "demo_pkg-1.0.tar.gz"),
        ("demo_pkg-1.0.post1.tar.gz", "demo_pkg-1.0-1.tar.gz"),
        (
            "demo_pkg-1.0-py2.py3-none-any.whl",
            "Demo_Pkg-1.0-py3.py2-none-any.whl",
        ),
        (
            "demo_pkg-1.0+a_1-py3-none-any.whl",
            "demo_pkg-1.0+a.1-py3-none-any.whl",
        ),
        ("demo_pkg-1.0.tar.GZ", "demo_pkg-1.0.tar.gz"),
        ("unreadable", "unreadable"),
    ];
    let different = [
        ("demo_pkg-1.0.tar.gz", "demo_pkg-1.0.0.tar.gz"),
        ("demo_pkg-1.0.tar.gz", "demo_pkg-1.0.zip"),
        (
            "demo_pkg-1.0-1-py3-none-any.whl",
            "demo_pkg-1.0-2-py3-none-any.whl",
        ),
        (
            "demo_pkg-1.0-py3-none-any.whl",
            "demo_pkg-1.0-py3-none-any-cu12.whl",
        ),
        ("demo_pkg-1.0.linux-x86_64.tar.gz", "demo_pkg-1.0.tar.gz"),
        ("unreadable", "demo_pkg-1.0.tar.gz"),
    ];
    let project = project("demo-pkg");
    for (a, b) in same {
        assert!(
            same_file(a, b, &project) && same_file(b, a, &project),
            "{a} {b}"
        );
    }
    for (a, b) in different {
        assert!(!same_file(a, b, &project), "{a} {b}");
    }
}

#[test]
fn m07_m08_h23_what_stays_listed() {
    let cases = [
        ("demo-1.0-py3-none-any.whl", true),
        ("demo-1.0-variants.json", true),
        ("demo-not!a=wheel.whl", true),
        ("demo-9.0.TAR.GZ", true),
        ("demo.zip", true),
        ("demo-1.0.tar.xz", false),
        ("demo-1.0.tar.gz.asc", false),
        ("demo-1.0.json", false),
        ("other-1.0.tar.gz", false),
        ("other-1.0-variants.json", false),
        ("demo-extra-1.0.tar.gz", false),
        ("demo-1.0.tar.gz?x", false),
    ];
    for (filename, listed) in cases {
        assert_eq!(is_listed(filename, &project("demo")), listed, "{filename}");
    }
    assert!(names_project("demo-1.0.tar.xz", &project("demo")));
    assert!(!names_project("demonstration-1.0.tar.gz", &project("demo")));
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in ".{0,80}", with in any::<bool>()) {
        let project = project("a");
        let _ = parse(&text, with.then_some(&project));
        let _ = is_listed(&text, &project);
        let _ = same_file(&text, "a-1.zip", &project);
    }

    #[test]
    fn texts_like_names_are_read_without_panic(
        text in "[aA][-_.a0-9wWpPyY+!]{0,20}(\\.win32|\\.linux-|-py3)?[-.0-9]{0,6}(\\.whl|\\.tar\\.gz|\\.egg|\\.rpm|\\.doc\\.zip)",
        with in any::<bool>(),
    ) {
        let project = project("a");
        if let Ok(parsed) = parse(&text, with.then_some(&project)) {
            prop_assert!(text.starts_with(&parsed.name));
            prop_assert!(text.contains(&parsed.version));
            if with {
                prop_assert_eq!(parsed.name.parse::<ProjectName>().unwrap(), project);
            }
        }
    }

    #[test]
    fn a_wheels_parts_are_found_again(
        name in "[a-z]{1,5}(_[a-z]{1,3})?",
        version in "[0-9]\\.[0-9](\\.post1)?(\\+l_1)?",
        build in proptest::option::of("[0-9][a-z]?"),
    ) {
        let build = build.map(|build| format!("-{build}")).unwrap_or_default();
        let filename = format!("{name}-{version}{build}-cp313-abi3-any.whl");
        let project: ProjectName = name.parse().unwrap();
        for known in [None, Some(&project)] {
            let parsed = parse(&filename, known).unwrap();
            prop_assert_eq!(parts(&parsed), (name.as_str(), version.as_str(), FileKind::Wheel));
        }
    }
}
