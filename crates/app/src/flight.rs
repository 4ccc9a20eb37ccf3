//! One piece of work for all who want its result at the same time.
//!
//! Invariant: the work runs as a background task of its own: a caller who
//! leaves does not stop it for the others, and its failure is a value that
//! every waiting caller receives.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{BoxFuture, FutureExt, Shared};

use crate::Tasks;

/// Work in progress, by key.
#[derive(Debug)]
pub(crate) struct Flights<K, V: Clone> {
    running: Arc<Mutex<HashMap<K, Running<V>>>>,
}

/// A place in a flight.
pub(crate) struct Boarding<V: Clone> {
    /// Resolves to the result.
    pub(crate) flight: Running<V>,
    /// This call started the work, so the result is no older than the call.
    pub(crate) started: bool,
}

type Running<V> = Shared<BoxFuture<'static, Option<V>>>;

impl<K, V: Clone> Default for Flights<K, V> {
    fn default() -> Self {
        Self {
            running: Arc::default(),
        }
    }
}

impl<K, V> Flights<K, V>
where
    K: Clone + Eq + Hash + Send + 'static + Debug,
    V: Clone + Send + Sync + 'static,
{
    /// Joins the work for `key`, starting it when nobody has. The flight gives
    /// `None` only if the work panicked.
    pub(crate) fn join<F>(&self, key: &K, tasks: &Tasks, work: impl FnOnce() -> F) -> Boarding<V>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = running.get(key) {
            return Boarding {
                flight: flight.clone(),
                started: false,
            };
        }
        let work = work();
        let (table, own_key) = (Arc::clone(&self.running), key.clone());
        let handle = tasks.spawn(async move {
            let landing = Landing {
                table,
                key: own_key,
            };
            let value = work.await;
            drop(landing);
            value
        });
        let flight = async move { handle.await.ok() }.boxed().shared();
        running.insert(key.clone(), flight.clone());
        Boarding {
            flight,
            started: true,
        }
    }
}

/// Takes the key out of the table, also when the work panics.
struct Landing<K: Eq + Hash, V: Clone> {
    table: Arc<Mutex<HashMap<K, Running<V>>>>,
    key: K,
}

impl<K: Eq + Hash, V: Clone> Drop for Landing<K, V> {
    fn drop(&mut self) {
        self.table
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Notify;

    use super::Flights;
    use crate::Tasks;

    #[tokio::test]
    async fn many_callers_share_one_piece_of_work_and_a_later_one_starts_anew() {
        let (flights, tasks) = (Flights::<u8, usize>::default(), Tasks::default());
        let (runs, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let start = || {
            let (runs, gate) = (runs.clone(), gate.clone());
            flights
                .join(&1, &tasks, move || async move {
                    gate.notified().await;
                    runs.fetch_add(1, Ordering::SeqCst) + 1
                })
                .flight
        };
        let (first, second) = (start(), start());
        drop(start());
        gate.notify_one();
        assert_eq!((first.await, second.await), (Some(1), Some(1)));
        let third = start();
        gate.notify_one();
        assert_eq!(third.await, Some(2));
    }

    #[tokio::test]
    async fn a_panic_is_told_to_the_waiting_and_does_not_block_the_key() {
        let (flights, tasks) = (Flights::<u8, u8>::default(), Tasks::default());
        let broken = flights.join(&1, &tasks, || async { panic!("on purpose") });
        assert_eq!(broken.flight.await, None);
        assert_eq!(
            flights.join(&1, &tasks, || async { 7 }).flight.await,
            Some(7)
        );
    }
}
