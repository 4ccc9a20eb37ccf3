//! The resolution order of an index: which indexes answer for it, nearest
//! first (devpi: 8.1).
//!
//! Invariants: every index once, the start first, mirrors last, names that
//! lead nowhere skipped; cycles end. Whether a mirror may take part for a
//! project is not decided here but in [`crate::admit`].

use std::collections::{HashSet, VecDeque};

use crate::{IndexKind, IndexName};

/// Breadth-first through the bases, every mirror put off to the end in the
/// order of its first encounter. `lookup` says what an index is and what its
/// bases are; `None` for one that does not exist.
pub fn resolution_order<'a>(
    start: &'a IndexName,
    lookup: impl Fn(&IndexName) -> Option<(IndexKind, &'a [IndexName])>,
) -> Vec<IndexName> {
    let (mut order, mut mirrors) = (Vec::new(), Vec::new());
    let mut seen = HashSet::from([start]);
    let mut queue = VecDeque::from([start]);
    while let Some(name) = queue.pop_front() {
        match lookup(name) {
            Some((IndexKind::Stage, bases)) => {
                order.push(name.clone());
                queue.extend(bases.iter().filter(|base| seen.insert(base)));
            }
            Some((IndexKind::Mirror, _)) => mirrors.push(name.clone()),
            // devpi: a base deleted since is skipped.
            None => {}
        }
    }
    order.append(&mut mirrors);
    order
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use proptest::prelude::*;

    use super::resolution_order;
    use crate::{IndexKind, IndexName};

    type Graph = HashMap<IndexName, (IndexKind, Vec<IndexName>)>;

    fn name(index: &str) -> IndexName {
        format!("u/{index}").parse().unwrap()
    }

    fn order(graph: &Graph, start: &IndexName) -> Vec<IndexName> {
        resolution_order(start, |name| {
            graph
                .get(name)
                .map(|(kind, bases)| (*kind, bases.as_slice()))
        })
    }

    /// `stage: base base`, one a line; a name that begins with `m` is a mirror.
    fn graph(text: &str) -> Graph {
        text.lines()
            .map(|line| {
                let (index, bases) = line.trim().split_once(':').unwrap();
                let kind = if index.starts_with('m') {
                    IndexKind::Mirror
                } else {
                    IndexKind::Stage
                };
                (
                    name(index),
                    (kind, bases.split_whitespace().map(name).collect()),
                )
            })
            .collect()
    }

    #[test]
    fn bases_come_by_distance_and_mirrors_last() {
        for (text, expected) in [
            ("a:", "a"),
            ("m:", "m"),
            ("a: m2 e1 d0\n e1: m1\n d0:\n m1:\n m2:", "a e1 d0 m2 m1"),
            ("a: b c\n b: d\n c: d\n d:", "a b c d"),
            ("a: b\n b: a c\n c: b", "a b c"),
            ("a: a gone b\n b: gone", "a b"),
            ("a: m b\n m:\n b: m", "a b m"),
            ("a: b c\n b: d\n c:\n d:", "a b c d"),
        ] {
            let graph = graph(text);
            let start = name(if text.starts_with('m') { "m" } else { "a" });
            let expected: Vec<IndexName> = expected.split(' ').map(name).collect();
            assert_eq!(order(&graph, &start), expected, "{text}");
        }
        assert_eq!(order(&Graph::new(), &name("a")), []);
    }

    #[test]
    fn a_long_chain_is_walked_once() {
        let chain: Graph = (0..20_000)
            .map(|at| {
                (
                    name(&at.to_string()),
                    (
                        IndexKind::Stage,
                        vec![name(&(at + 1).to_string()), name("0")],
                    ),
                )
            })
            .collect();
        assert_eq!(order(&chain, &name("0")).len(), 20_000);
    }

    /// 8.1 word for word: level by level, then the first occurrence of each
    /// name, then the missing out, then the mirrors to the end.
    fn naive(graph: &Graph, start: &IndexName) -> Vec<IndexName> {
        let mut walk: Vec<IndexName> = vec![start.clone()];
        let mut level = vec![start.clone()];
        for _ in 0..=graph.len() {
            let mut next: Vec<IndexName> = Vec::new();
            for index in &level {
                let bases = graph
                    .get(index)
                    .filter(|(kind, _)| *kind == IndexKind::Stage);
                for base in bases.map_or(&[][..], |(_, bases)| bases) {
                    if !walk.contains(base) && !next.contains(base) {
                        next.push(base.clone());
                    }
                }
            }
            walk.extend(next.iter().cloned());
            level = next;
        }
        walk.retain(|index| graph.contains_key(index));
        let is_mirror = |index: &&IndexName| graph[*index].0 == IndexKind::Mirror;
        let mirrors: Vec<IndexName> = walk.iter().filter(is_mirror).cloned().collect();
        walk.retain(|index| graph[index].0 == IndexKind::Stage);
        walk.into_iter().chain(mirrors).collect()
    }

    fn any_graph() -> impl Strategy<Value = Graph> {
        let index = (
            0..12_u8,
            any::<bool>(),
            proptest::collection::vec(0..12_u8, 0..5),
        );
        proptest::collection::vec(index, 1..12).prop_map(|indexes| {
            let named = |at: u8| name(&format!("i{at}"));
            let entry = |(at, is_mirror, bases): (u8, bool, Vec<u8>)| {
                let kind = if is_mirror {
                    IndexKind::Mirror
                } else {
                    IndexKind::Stage
                };
                (named(at), (kind, bases.into_iter().map(named).collect()))
            };
            indexes.into_iter().map(entry).collect()
        })
    }

    proptest! {
        #[test]
        fn the_order_is_the_rule_read_literally(graph in any_graph(), start in 0..12_u8) {
            let start = name(&format!("i{start}"));
            let found = order(&graph, &start);
            prop_assert_eq!(&found, &naive(&graph, &start));

            prop_assert_eq!(found.first(), graph.contains_key(&start).then_some(&start));
            let unique: HashSet<&IndexName> = found.iter().collect();
            prop_assert_eq!(unique.len(), found.len());
            prop_assert!(found.iter().all(|index| graph.contains_key(index)));
            let kinds: Vec<bool> = found.iter().map(|index| graph[index].0 == IndexKind::Mirror).collect();
            prop_assert!(kinds.is_sorted(), "a mirror before a stage: {found:?}");
        }
    }
}
