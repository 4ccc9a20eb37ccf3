//! How many requests one upstream host gets at the same time (P-11).
//!
//! Invariant: a slot is held from before the request until the end of its
//! body. Hosts that nobody talks to are forgotten when there are many.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use crate::error::host_of;

/// Hosts remembered before the idle ones are forgotten: pages may link to any number.
const MAX_HOSTS: usize = 256;

/// The slots for one kind of request.
#[derive(Debug)]
pub(crate) struct Slots {
    per_host: usize,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// Leave to talk to a host, until dropped.
pub(crate) type Slot = OwnedSemaphorePermit;

impl Slots {
    pub(crate) fn new(per_host: usize) -> Self {
        Self {
            per_host,
            hosts: Mutex::default(),
        }
    }

    /// Waits for a slot at the URL's host.
    pub(crate) async fn take(&self, url: &Url) -> Slot {
        let slots = self.of(host_of(url));
        slots
            .acquire_owned()
            .await
            .expect("invariant: these semaphores are never closed")
    }

    fn of(&self, host: String) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= MAX_HOSTS && !hosts.contains_key(&host) {
            // Whoever holds or awaits a slot holds the semaphore too.
            hosts.retain(|_, slots| Arc::strong_count(slots) > 1);
        }
        Arc::clone(
            hosts
                .entry(host)
                .or_insert_with(|| Arc::new(Semaphore::new(self.per_host))),
        )
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn url(host: &str) -> Url {
        Url::parse(&format!("http://{host}/x")).unwrap()
    }

    #[test]
    fn a_host_gets_so_many_and_no_more() {
        let slots = Slots::new(2);
        let (one, two) = (url("one.example.com"), url("two.example.com"));
        let first = slots.take(&one).now_or_never().unwrap();
        let _second = slots.take(&one).now_or_never().unwrap();
        assert!(slots.take(&one).now_or_never().is_none());
        assert!(
            slots.take(&two).now_or_never().is_some(),
            "another host has its own"
        );
        drop(first);
        assert!(slots.take(&one).now_or_never().is_some());
    }

    #[test]
    fn idle_hosts_are_forgotten_and_busy_ones_are_not() {
        let slots = Slots::new(1);
        let busy = url("busy.example.com");
        let _held = slots.take(&busy).now_or_never().unwrap();
        for n in 0..2 * MAX_HOSTS {
            drop(
                slots
                    .take(&url(&format!("h{n}.example.com")))
                    .now_or_never()
                    .unwrap(),
            );
        }
        assert!(slots.hosts.lock().unwrap().len() <= MAX_HOSTS);
        assert!(slots.take(&busy).now_or_never().is_none());
    }
}
