//! The schema, step by step: forward only, embedded, the same numbers and
//! titles on both engines.
//!
//! Invariant: a step that was released never changes; the database keeps each
//! one's checksum and refuses.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};

use crate::error::Cause;
use crate::{Error, Result};

/// One list for both engines, so that neither can lack a step.
macro_rules! steps {
    ($engine:literal) => {
        [
            steps!($engine, 1, "foundation"),
            steps!($engine, 2, "users_and_indexes"),
            steps!($engine, 3, "projects_and_files"),
            steps!($engine, 4, "mirrors"),
            steps!($engine, 5, "files_of_a_release"),
        ]
    };
    ($engine:literal, $number:literal, $title:literal) => {
        (
            $number,
            $title,
            include_str!(concat!(
                "../migrations/",
                $engine,
                "/000",
                $number,
                "_",
                $title,
                ".sql"
            )),
        )
    };
}

type Step = (i64, &'static str, &'static str);

pub(crate) const SQLITE: &[Step] = &steps!("sqlite");
pub(crate) const POSTGRES: &[Step] = &steps!("postgres");

/// Brings a database up to date, under the engine's migration lock.
pub(crate) async fn migrate<C: Migrate>(connection: &mut C, steps: &[Step]) -> Result<()> {
    let known = steps
        .iter()
        .map(|(number, ..)| *number)
        .max()
        .unwrap_or_default();
    let migrations = steps
        .iter()
        .map(|(number, title, text)| {
            let kind = MigrationType::Simple;
            Migration::new(
                *number,
                (*title).into(),
                kind,
                (*text).into_sql_str(),
                false,
            )
        })
        .collect();
    let migrator = Migrator::with_migrations(migrations);
    match migrator.run_direct(None, connection, false).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(found)) => Err(Error::TooNew { found, known }),
        Err(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) => {
            Err(unless_migration(error))
        }
        Err(error) => Err(Error::Migration(Cause::new(error))),
    }
}

/// A full disk or a lost connection is told as such also while migrating.
fn unless_migration(error: sqlx::Error) -> Error {
    match Error::from(error) {
        Error::Database(cause) => Error::Migration(cause),
        told => told,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::{POSTGRES, SQLITE, Step};

    fn embedded(steps: &[Step]) -> BTreeSet<String> {
        steps
            .iter()
            .map(|(number, title, _)| format!("{number:04}_{title}.sql"))
            .collect()
    }

    fn on_disk(engine: &str) -> BTreeSet<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("migrations")
            .join(engine);
        let entries = folder.read_dir().expect("the folder is there");
        let names = entries.map(|entry| entry.expect("a readable entry").file_name());
        names
            .map(|name| name.into_string().expect("a plain name"))
            .collect()
    }

    #[test]
    fn every_migration_is_embedded_for_both_engines() {
        assert_eq!(embedded(SQLITE), on_disk("sqlite"));
        assert_eq!(embedded(POSTGRES), on_disk("postgres"));
    }

    #[test]
    fn migrations_are_numbered_without_gaps() {
        let numbers: Vec<i64> = SQLITE.iter().map(|(number, ..)| *number).collect();
        let expected: Vec<i64> = (1..).take(SQLITE.len()).collect();
        assert_eq!(numbers, expected);
    }
}
