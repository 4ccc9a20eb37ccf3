//! What needs to know the other indexes.

use super::*;

#[test]
fn bases_exist_are_few_and_not_the_index_itself() {
    let name: IndexName = "alice/self".parse().unwrap();
    let check = |bases: &[IndexName]| {
        let checked = check_bases(&name, bases, |base| base.user().as_str() != "no");
        checked.map_err(|error| error.to_string())
    };
    let table = "
        E01 E03 | alice/self     | base index 'alice/self' is the index itself
        E04     | no/such        | base index 'no/such' does not exist
        3.1     | no/a,a/b,no/b  | base index 'no/a' does not exist, base index 'no/b' does not exist
    ";
    for [row, bases, message] in rows(table) {
        let bases: Vec<IndexName> = bases.split(',').map(|base| base.parse().unwrap()).collect();
        assert_eq!(check(&bases), Err(message.to_owned()), "{row}");
    }
    assert_eq!(check(&[]), Ok(()));
    let many: Vec<IndexName> = (0..10_000)
        .map(|at| format!("a/{at}").parse().unwrap())
        .collect();
    assert_eq!(check(&many[..64]), Ok(()));
    let too_many = "an index can have at most 64 bases".to_owned();
    for count in [65, 10_000] {
        assert_eq!(check(&many[..count]), Err(too_many.clone()), "E32: {count}");
    }
}
