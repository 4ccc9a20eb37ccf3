//! Every row of sections A to G of the catalogue is named by a test.
//!
//! Left out: whether the test tells the truth. Ids are not contiguous.

use std::collections::BTreeSet;
use std::path::Path;

const ROWS: &str = "
    A01 A02 A03 A05 A06 A07 A09 A10 A11 A13 A14 A15 A17 A18 A19 A21 A22 A23 A25 A26 A27 A29 A30
    A31 A33 A34 A35 A37 A38 A39 A41 A42 A43
    B01 B02 B03 B05 B06 B07 B09 B10 B11 B13 B14 B15 B17 B18 B19 B21 B22 B23 B25 B26 B27 B29 B30
    B31 B33 B34 B35
    C02 C03 C04 C06 C07 C08 C10 C11 C12 C14 C15 C16 C18 C19 C20 C22 C23 C24 C26 C27 C28 C30 C31
    D01 D03 D04 D05 D07 D08 D09 D11 D12 D13 D15 D16 D17 D19 D20 D21 D23 D24 D25 D27 D28 D29 D31
    D32
    E01 E03 E04 E05 E07 E08 E09 E11 E12 E13 E15 E16 E17 E19 E20 E21 E23 E24 E25 E27 E28 E29 E31
    E32 E33 E35 E36 E37 E39 E40 E41 E43 E44 E45 E47 E48 E49 E51 E52 E53 E55 E56 E57 E59 E60 E61
    E63 E64 E65
    F02 F03 F04 F06 F07 F08 F10 F11 F12 F14 F15 F16 F18 F19 F20 F22 F23 F24 F26 F27 F28 F30 F31
    F32 F34 F35 F36 F38 F39 F40 F42 F43 F44 F46 F47 F48 F50 F51 F52 F54 F55 F56 F58 F59 F60 F62
    F63 F64 F66 F67 F68 F70 F71 F72 F74 F75 F76 F78 F79 F80 F82 F83 F84 F86 F87 F88 F90 F91 F92
    F94 F95
    G01 G03 G04 G05 G07 G08 G09 G11 G12 G13
    G15 G16 G17 G19 G20 G21 G23 G24 G25 G27 G28 G29 G31 G32 G33 G35 G36 G37
";

/// Where the tests are; of `pypi` those about archives.
const FOLDERS: [&str; 3] = ["tests", "tests/bad_input", "../pypi/src/archive/tests"];

fn named() -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for folder in FOLDERS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in folder.read_dir().expect("a folder of tests") {
            let path = entry.expect("an entry").path();
            if path.is_dir() || path.ends_with("coverage.rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a source");
            let words = text.split(|c: char| !c.is_ascii_alphanumeric());
            named.extend(words.map(str::to_uppercase));
        }
    }
    named
}

#[test]
fn every_row_is_named_in_a_test() {
    let named = named();
    let rows: Vec<&str> = ROWS.split_whitespace().collect();
    assert!(rows.len() > 230, "{}", rows.len());
    let missing: Vec<&&str> = rows.iter().filter(|row| !named.contains(**row)).collect();
    assert!(missing.is_empty(), "no test names {missing:?}");
}
