//! One statement, two engines: the macro that sends the same text through
//! either driver, and the two kinds of open transaction.
//!
//! Invariant: after a failed statement a transaction takes no further one.

use std::time::Duration;

use sqlx::{Postgres, Sqlite, Transaction};

/// The serial, on either engine.
pub(crate) const SERIAL: &str = "select value from serial";

/// An open transaction of one of the engines.
pub(crate) enum Link {
    Sqlite(Transaction<'static, Sqlite>),
    /// With the longest time to wait for one answer.
    Postgres(Transaction<'static, Postgres>, Duration),
}

/// Runs one statement in a [`crate::Tx`]; needs an `async fn` that returns [`crate::Result`].
///
/// `sql!(tx, execute, "…", arguments…)` gives the number of rows touched;
/// `sql!(tx, fetch_one as Row, …)`, `fetch_optional`, `fetch_all` give rows:
/// `Row` is a tuple or derives `FromRow`. The arguments stand in both arms of a
/// `match`, so they may move.
macro_rules! sql {
    ($tx:expr, execute, $text:expr $(, $argument:expr)* $(,)?) => {{
        let result = match $tx.link()? {
            $crate::sql::Link::Sqlite(link) => sqlx::query($text)
                $(.bind($argument))*
                .execute(&mut **link)
                .await
                .map(|done| done.rows_affected()),
            $crate::sql::Link::Postgres(link, patience) => $crate::postgres::in_time(
                *patience,
                sqlx::query($text)$(.bind($argument))*.execute(&mut **link),
            )
            .await
            .map(|done| done.rows_affected()),
        };
        result.map_err(|error| $tx.fail(error))
    }};
    ($tx:expr, $fetch:ident as $row:ty, $text:expr $(, $argument:expr)* $(,)?) => {{
        let result = match $tx.link()? {
            $crate::sql::Link::Sqlite(link) => sqlx::query_as::<_, $row>($text)
                $(.bind($argument))*
                .$fetch(&mut **link)
                .await,
            $crate::sql::Link::Postgres(link, patience) => $crate::postgres::in_time(
                *patience,
                sqlx::query_as::<_, $row>($text)$(.bind($argument))*.$fetch(&mut **link),
            )
            .await,
        };
        result.map_err(|error| $tx.fail(error))
    }};
}

/// A list of ids as a statement takes it.
pub(crate) fn id_list(ids: &[i64]) -> String {
    let mut list = String::with_capacity(2 + ids.len() * 8);
    list.push('[');
    for (position, id) in ids.iter().enumerate() {
        if position > 0 {
            list.push(',');
        }
        list.push_str(&id.to_string());
    }
    list.push(']');
    list
}

#[cfg(test)]
mod tests {
    use super::id_list;

    #[test]
    fn a_list_of_ids_is_json() {
        assert_eq!(id_list(&[]), "[]");
        assert_eq!(id_list(&[7]), "[7]");
        assert_eq!(id_list(&[1, -2, i64::MAX]), "[1,-2,9223372036854775807]");
    }
}
