//! One question for all who wait: callers that arrive while the database is
//! being asked share the next question, not the one under way.
//!
//! Invariant: an answer comes from a question that was asked after its caller
//! called, so a caller sees every change acknowledged before.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

/// Shares the answers of one repeated question.
#[derive(Debug)]
pub(crate) struct Coalesce<T> {
    /// Number of the newest question asked.
    asked: AtomicU64,
    /// The newest answer with the number of its question. Held while asking.
    answered: Mutex<(u64, Option<T>)>,
}

impl<T: Clone> Coalesce<T> {
    pub(crate) fn new() -> Self {
        Self {
            asked: AtomicU64::new(0),
            answered: Mutex::new((0, None)),
        }
    }

    /// The answer to a question asked after this call: one's own, or that of
    /// somebody who had to wait as well.
    pub(crate) async fn ask<Asking>(&self, question: impl FnOnce() -> Asking) -> T
    where
        Asking: Future<Output = T>,
    {
        let asked_before = self.asked.load(Ordering::SeqCst);
        let mut answered = self.answered.lock().await;
        if let (number, Some(answer)) = &*answered
            && *number > asked_before
        {
            return answer.clone();
        }
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        // A caller that leaves here drops the lock: the next one asks again.
        let answer = question().await;
        *answered = (number, Some(answer.clone()));
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

    use futures_util::FutureExt;
    use futures_util::future::join_all;
    use proptest::prelude::*;
    use tokio::sync::Semaphore;
    use tokio::task::yield_now;

    use super::Coalesce;

    async fn steps(count: u8) {
        for _ in 0..count {
            yield_now().await;
        }
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime").block_on(future)
    }

    #[test]
    fn callers_who_wait_share_one_question_asked_after_they_called() {
        block_on(async {
            let (coalesce, gate, asked) = (Coalesce::new(), Semaphore::new(0), AtomicU64::new(0));
            let call = || {
                coalesce.ask(|| async {
                    let number = asked.fetch_add(1, SeqCst) + 1;
                    gate.acquire().await.expect("an open gate").forget();
                    number
                })
            };
            // All 101 futures are polled once before the gate opens.
            let open = async {
                yield_now().await;
                gate.add_permits(2);
            };
            let (answers, ()) = tokio::join!(join_all((0..101).map(|_| call())), open);
            assert_eq!(answers[0], 1);
            assert!(
                answers[1..].iter().all(|answer| *answer == 2),
                "{answers:?}"
            );
            assert_eq!(asked.load(SeqCst), 2);
        });
    }

    #[test]
    fn a_caller_who_leaves_while_asking_holds_nobody_up() {
        block_on(async {
            let coalesce = Coalesce::new();
            {
                let leaving = coalesce.ask(std::future::pending::<u8>);
                assert_eq!(leaving.now_or_never(), None);
            }
            assert_eq!(coalesce.ask(|| async { 7 }).await, 7);
        });
    }

    proptest! {
        /// The world counts up all the time; an answer older than its call would be a stale read.
        #[test]
        fn no_answer_is_older_than_its_call(
            callers in prop::collection::vec((0u8..40, 0u8..6, 0u8..6), 1..40),
        ) {
            let (stale, questions) = block_on(async {
                let (coalesce, world, questions) =
                    (Coalesce::new(), AtomicU64::new(0), AtomicU64::new(0));
                let (coalesce, world, questions) = (&coalesce, &world, &questions);
                let calls = callers.iter().map(|&(arrival, before, after)| async move {
                    steps(arrival).await;
                    let called = world.fetch_add(1, SeqCst);
                    let answer = coalesce.ask(|| async move {
                        questions.fetch_add(1, SeqCst);
                        steps(before).await;
                        let answer = world.load(SeqCst);
                        steps(after).await;
                        answer
                    });
                    answer.await <= called
                });
                let stale = join_all(calls).await.into_iter().filter(|stale| *stale).count();
                (stale, questions.load(SeqCst))
            });
            prop_assert_eq!(stale, 0);
            prop_assert!(questions <= callers.len() as u64);
        }
    }
}
