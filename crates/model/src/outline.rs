//! The outline of JSON text: how deep it is and how much it holds, told before
//! anything is made of it.
//!
//! Invariant: no memory, whatever comes. Left out: whether it is JSON at all;
//! of other text the outline means nothing.

/// Deeper than any real JSON, and less than a reader's stack.
pub const MAX_DEPTH: usize = 128;

/// Most values of a JSON text that is made into values, each of which takes
/// many times the memory of its text.
pub const MAX_VALUES: usize = 50_000;

/// What stands outside of the strings of a JSON text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outline {
    depth: usize,
    deepest: usize,
    values: usize,
    in_string: bool,
    is_escaped: bool,
}

impl Outline {
    /// The outline of a whole text.
    pub fn of(text: &[u8]) -> Self {
        let mut outline = Self::default();
        outline.add(text);
        outline
    }

    /// Goes on with the next piece of the text.
    pub fn add(&mut self, piece: &[u8]) {
        for byte in piece {
            if self.is_escaped {
                self.is_escaped = false;
            } else if self.in_string {
                match byte {
                    b'"' => self.in_string = false,
                    b'\\' => self.is_escaped = true,
                    _ => {}
                }
            } else {
                self.add_outside(*byte);
            }
        }
    }

    fn add_outside(&mut self, byte: u8) {
        match byte {
            b'"' => self.in_string = true,
            b'[' | b'{' => {
                self.values += 1;
                self.depth += 1;
                self.deepest = self.deepest.max(self.depth);
            }
            b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            b',' => self.values += 1,
            _ => {}
        }
    }

    /// Deeper than [`MAX_DEPTH`].
    pub fn is_too_deep(&self) -> bool {
        self.deepest > MAX_DEPTH
    }

    /// More values than [`MAX_VALUES`].
    pub fn is_too_much(&self) -> bool {
        self.values > MAX_VALUES
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MAX_DEPTH, MAX_VALUES, Outline};

    #[test]
    fn depth_and_number_are_counted_outside_of_strings() {
        let outline = Outline::of(br#"{"a":[1,2,{"b\"]},[":"}]"}],"c":null}"#);
        assert_eq!((outline.deepest, outline.depth), (3, 0));
        assert_eq!(outline.values, 3 + 3);
        let text = "[,{".repeat(MAX_DEPTH);
        assert_eq!(Outline::of(format!("\"{text}\"").as_bytes()).values, 0);
        assert!(Outline::of(text.as_bytes()).is_too_deep());
        let edge = "[".repeat(MAX_DEPTH);
        assert!(!Outline::of(edge.as_bytes()).is_too_deep());
        assert!(!Outline::of(&vec![b','; MAX_VALUES]).is_too_much());
        assert!(Outline::of(&vec![b','; MAX_VALUES + 1]).is_too_much());
    }

    proptest! {
        #[test]
        fn pieces_add_up(text in "[\\[\\]{},\"\\\\a]{0,60}", cut in 0_usize..60) {
            let bytes = text.as_bytes();
            let (start, end) = bytes.split_at(cut.min(bytes.len()));
            let mut outline = Outline::of(start);
            outline.add(end);
            prop_assert_eq!(outline, Outline::of(bytes));
        }
    }
}
