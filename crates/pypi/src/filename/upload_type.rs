//! What the upload form says about a file: `filetype` and `pyversion` (devpi: A.5).

use super::{FileKind, parse};
use crate::ProjectName;

/// `filetype` and `pyversion` for a distribution file, by its name.
pub fn upload_type(filename: &str, project: &ProjectName) -> (&'static str, String) {
    let any = || ("bdist_dumb", "any".to_owned());
    let Ok(parsed) = parse(filename, Some(project)) else {
        return any();
    };
    match (parsed.kind, parsed.extension) {
        (FileKind::Wheel, _) => ("bdist_wheel", wheel_python(filename)),
        (FileKind::Sdist, _) => ("sdist", "source".to_owned()),
        (FileKind::Egg, _) => ("bdist_egg", egg_python(filename)),
        (_, ".exe") => ("bdist_wininst", "any".to_owned()),
        (_, ".msi") => ("bdist_msi", "any".to_owned()),
        (_, ".rpm") => ("bdist_rpm", "any".to_owned()),
        _ => any(),
    }
}

/// `py2.py3` is 2.7, `cp311` is 3.11, `py3` is 3.
fn wheel_python(filename: &str) -> String {
    let tags = filename.rsplit('-').nth(2).unwrap_or_default();
    let mut versions = tags.split('.').filter_map(python_of_tag);
    match versions.next() {
        // A wheel for both has always been announced as one for the older.
        Some(version) if version == "2" => "2.7".to_owned(),
        Some(version) => version,
        None => "any".to_owned(),
    }
}

fn python_of_tag(tag: &str) -> Option<String> {
    let digits = tag.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (major, minor) = digits.split_at(1);
    Some(if minor.is_empty() {
        major.to_owned()
    } else {
        format!("{major}.{minor}")
    })
}

/// `demo-1.0-py3.8.egg` is for 3.8.
fn egg_python(filename: &str) -> String {
    let mut parts = filename.rsplit('-').filter_map(|part| {
        let version = part.strip_prefix("py")?;
        let version = version.strip_suffix(".egg").unwrap_or(version);
        let is_version = version.starts_with(|c: char| c.is_ascii_digit());
        is_version.then(|| version.to_owned())
    });
    parts.next().unwrap_or_else(|| "any".to_owned())
}

#[cfg(test)]
mod tests {
    use super::upload_type;

    #[test]
    fn the_form_says_what_the_name_says() {
        let table = [
            ("demo-1.0.tar.gz", "sdist", "source"),
            ("demo-1.0.zip", "sdist", "source"),
            ("demo-1.0.tgz", "sdist", "source"),
            ("demo-1.0-py3-none-any.whl", "bdist_wheel", "3"),
            ("demo-1.0-py2.py3-none-any.whl", "bdist_wheel", "2.7"),
            ("demo-1.0-py2-none-any.whl", "bdist_wheel", "2.7"),
            ("demo-1.0-cp27-cp27m-win32.whl", "bdist_wheel", "2.7"),
            (
                "demo-1.0-1-cp311-cp311-linux_x86_64.whl",
                "bdist_wheel",
                "3.11",
            ),
            (
                "demo-1.0-pp310-pypy310_pp73-win_amd64.whl",
                "bdist_wheel",
                "3.10",
            ),
            ("demo-1.0-odd-none-any.whl", "bdist_wheel", "any"),
            ("demo-1.0-py3.8.egg", "bdist_egg", "3.8"),
            ("demo-1.0-py3.8-linux-x86_64.egg", "bdist_egg", "3.8"),
            ("demo-1.0.win32.exe", "bdist_wininst", "any"),
            ("demo-1.0.msi", "bdist_msi", "any"),
            ("demo-1.0.deb", "bdist_dumb", "any"),
            ("demo-1.0.unheard-of", "bdist_dumb", "any"),
        ];
        for (filename, filetype, python) in table {
            let found = upload_type(filename, &"demo".parse().unwrap());
            assert_eq!(found, (filetype, python.to_owned()), "{filename}");
        }
    }
}
