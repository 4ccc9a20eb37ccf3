//! Wrong passwords, counted per user and per address, and what follows when
//! they are too many (L31).
//!
//! Invariants: only wrong passwords count, tokens never do; a user who does
//! not exist is counted as one who does; whoever logged in from an address can
//! do so again from there, unless the same name is guessed at from there; the
//! number of things remembered is bounded. It is this node's own knowledge and may vanish.

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quick_cache::unsync::Cache;

/// How long failures count, from the first one.
const WINDOW: Duration = Duration::from_mins(5);
/// Failures of one user from one address before the next is refused.
const PER_PAIR: u32 = 10;
/// Failures from one address, whoever was named.
const PER_ADDRESS: u32 = 100;
/// Failures of one user from everywhere; past it only addresses count from
/// which the user has logged in before.
const PER_USER: u32 = 50;
/// Users, addresses and pairs remembered, each.
const MAX_TRACKED: usize = 10_000;

/// Who tries, and from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Attempt {
    /// The name as it was sent, hashed: it may be anything of any length.
    user: u64,
    /// A whole IPv6 network counts as one address.
    address: IpAddr,
}

/// The failures of the last minutes.
#[derive(Debug)]
pub(crate) struct Attempts {
    names: RandomState,
    table: Mutex<Table>,
}

#[derive(Debug)]
struct Table {
    pairs: Cache<Attempt, Failures>,
    addresses: Cache<IpAddr, Failures>,
    users: Cache<u64, Failures>,
    /// Where users have logged in from.
    proven: Cache<Attempt, ()>,
}

/// Failures of one window; the time is that of [`crate::Clock::elapsed`].
#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    until: Duration,
}

impl Default for Attempts {
    fn default() -> Self {
        Self {
            names: RandomState::new(),
            table: Mutex::new(Table {
                pairs: Cache::new(MAX_TRACKED),
                addresses: Cache::new(MAX_TRACKED),
                users: Cache::new(MAX_TRACKED),
                proven: Cache::new(MAX_TRACKED),
            }),
        }
    }
}

impl Attempts {
    pub(crate) fn of(&self, user: &str, address: IpAddr) -> Attempt {
        Attempt {
            user: self.names.hash_one(user),
            address: network(address),
        }
    }

    /// How long to wait before the password is looked at; `None`: not at all.
    pub(crate) fn wait(&self, attempt: Attempt, now: Duration) -> Option<Duration> {
        let table = self.table();
        let proven = table.proven.get(&attempt).is_some();
        let limits = [
            over(table.pairs.get(&attempt), PER_PAIR, now),
            over(table.addresses.get(&attempt.address), PER_ADDRESS, now).filter(|_| !proven),
            over(table.users.get(&attempt.user), PER_USER, now).filter(|_| !proven),
        ];
        limits.into_iter().flatten().max()
    }

    /// The password was wrong.
    pub(crate) fn failed(&self, attempt: Attempt, now: Duration) {
        let mut table = self.table();
        let reached = [
            count(&mut table.pairs, attempt, now) == PER_PAIR,
            count(&mut table.addresses, attempt.address, now) == PER_ADDRESS,
            count(&mut table.users, attempt.user, now) == PER_USER,
        ];
        drop(table);
        // Without the name: people type passwords there.
        if reached.contains(&true) {
            let address = attempt.address;
            tracing::warn!(%address, "too many wrong passwords; more are refused for some minutes");
        }
    }

    /// It was right.
    pub(crate) fn succeeded(&self, attempt: Attempt) {
        let mut table = self.table();
        table.pairs.remove(&attempt);
        table.proven.insert(attempt, ());
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn over(failures: Option<&Failures>, limit: u32, now: Duration) -> Option<Duration> {
    let failures = failures.filter(|failures| failures.count >= limit && now < failures.until)?;
    Some(failures.until.saturating_sub(now))
}

/// One more failure, and how many that makes.
fn count<K: Hash + Eq>(cache: &mut Cache<K, Failures>, key: K, now: Duration) -> u32 {
    let known = cache.get(&key).copied().filter(|known| now < known.until);
    let failures = match known {
        Some(known) => Failures {
            count: known.count.saturating_add(1),
            until: known.until,
        },
        None => Failures {
            count: 1,
            until: now + WINDOW,
        },
    };
    cache.insert(key, failures);
    failures.count
}

/// A machine with IPv6 has at least 64 bits of addresses to choose from.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) >> 64 << 64;
            Ipv6Addr::from(network).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Duration;

    use super::{Attempts, MAX_TRACKED, PER_ADDRESS, PER_PAIR, PER_USER, WINDOW};

    const NOW: Duration = Duration::from_secs(1000);

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn fail(attempts: &Attempts, user: &str, from: &str, times: u32) {
        for _ in 0..times {
            attempts.failed(attempts.of(user, address(from)), NOW);
        }
    }

    fn wait(attempts: &Attempts, user: &str, from: &str, now: Duration) -> Option<u64> {
        let attempt = attempts.of(user, address(from));
        attempts.wait(attempt, now).map(|wait| wait.as_secs())
    }

    #[test]
    fn a_user_is_guessed_at_from_one_address_a_few_times_only() {
        let attempts = Attempts::default();
        fail(&attempts, "alice", "192.0.2.1", PER_PAIR - 1);
        assert_eq!(wait(&attempts, "alice", "192.0.2.1", NOW), None);
        fail(&attempts, "alice", "192.0.2.1", 1);
        assert_eq!(wait(&attempts, "alice", "192.0.2.1", NOW), Some(300));
        let later = NOW + Duration::from_secs(100);
        assert_eq!(
            wait(&attempts, "alice", "::ffff:192.0.2.1", later),
            Some(200)
        );
        assert_eq!(wait(&attempts, "alice", "192.0.2.2", NOW), None);
        assert_eq!(wait(&attempts, "bob", "192.0.2.1", NOW), None);
        assert_eq!(wait(&attempts, "alice", "192.0.2.1", NOW + WINDOW), None);
    }

    #[test]
    fn a_right_password_takes_the_wrong_ones_back() {
        let attempts = Attempts::default();
        fail(&attempts, "alice", "192.0.2.1", PER_PAIR - 1);
        attempts.succeeded(attempts.of("alice", address("192.0.2.1")));
        fail(&attempts, "alice", "192.0.2.1", 1);
        assert_eq!(wait(&attempts, "alice", "192.0.2.1", NOW), None);
    }

    #[test]
    fn an_address_cannot_go_through_all_users() {
        let attempts = Attempts::default();
        for number in 0..PER_ADDRESS {
            fail(&attempts, &format!("user{number}"), "2001:db8::1", 1);
        }
        assert_eq!(wait(&attempts, "alice", "2001:db8::ffff", NOW), Some(300));
        assert_eq!(wait(&attempts, "alice", "2001:db8:0:1::1", NOW), None);
        attempts.succeeded(attempts.of("bob", address("2001:db8::2")));
        assert_eq!(wait(&attempts, "bob", "2001:db8::3", NOW), None);
    }

    #[test]
    fn whoever_logged_in_before_is_not_locked_out_from_elsewhere() {
        let attempts = Attempts::default();
        attempts.succeeded(attempts.of("alice", address("192.0.2.1")));
        for number in 0..PER_USER {
            fail(&attempts, "alice", &format!("198.51.100.{number}"), 1);
        }
        assert_eq!(wait(&attempts, "alice", "192.0.2.1", NOW), None);
        assert_eq!(wait(&attempts, "alice", "192.0.2.2", NOW), Some(300));
        assert_eq!(wait(&attempts, "bob", "192.0.2.2", NOW), None);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_what_is_busy_stays() {
        let attempts = Attempts::default();
        for number in 0..3 * u32::try_from(MAX_TRACKED).expect("small") {
            let from = IpAddr::from(number.to_be_bytes());
            attempts.failed(attempts.of("alice", from), NOW);
        }
        let table = attempts.table();
        assert!(table.pairs.len() <= MAX_TRACKED && table.addresses.len() <= MAX_TRACKED);
        drop(table);
        assert_eq!(wait(&attempts, "alice", "192.0.2.1", NOW), Some(300));
    }
}
