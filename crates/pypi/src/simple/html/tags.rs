//! Start tags and comments of an HTML document, one after the other, as the
//! HTML standard's tokenizer finds them. A tree is not needed, and would cost
//! some ten times the document's size (H18).
//!
//! Invariant: linear in the document, no recursion, and what is kept of one tag
//! is bounded. Left out: end tags, text and everything a page does not need.

use std::borrow::Cow;

use html_escape::decode_html_entities;

/// More attributes than any anchor has; the rest are skipped.
const MAX_ATTRIBUTES: usize = 64;

/// Elements whose content is text, whatever it looks like.
const RAW_TEXT: [&str; 8] = [
    "script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes",
];

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Start(Tag<'a>),
    Comment(&'a str),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
}

impl Tag<'_> {
    /// Names of tags have no letter case.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The value of the first attribute of this name, with its entities decoded.
    pub(super) fn attribute(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut named = self
            .attributes
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| decode_html_entities(*value))
    }
}

pub(super) fn tokens(html: &str) -> Tokens<'_> {
    Tokens { rest: html }
}

/// See [`tokens`]. Every step cuts from the front of `rest`.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let at = self.rest.find('<')?;
            self.rest = &self.rest[at + 1..];
            let next = self.rest.as_bytes().first()?;
            if let Some(comment) = self.rest.strip_prefix("!--") {
                self.rest = comment;
                return Some(Token::Comment(self.comment()));
            } else if matches!(next, b'!' | b'?') {
                self.cut_after(">");
            } else if *next == b'/' {
                self.rest = &self.rest[1..];
                if self.rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
                    self.tag()?;
                } else {
                    self.cut_after(">");
                }
            } else if next.is_ascii_alphabetic() {
                let tag = self.tag()?;
                if let Some(name) = RAW_TEXT.iter().find(|name| tag.is(name)) {
                    self.skip_text_of(name);
                }
                return Some(Token::Start(tag));
            }
        }
    }
}

impl<'a> Tokens<'a> {
    /// Up to and with the needle, or to the end; what stood before it.
    fn cut_after(&mut self, needle: &str) -> &'a str {
        let (before, after) = self.rest.split_once(needle).unwrap_or((self.rest, ""));
        self.rest = after;
        before
    }

    fn comment(&mut self) -> &'a str {
        for short in [">", "->"] {
            if let Some(after) = self.rest.strip_prefix(short) {
                self.rest = after;
                return "";
            }
        }
        self.cut_after("-->")
    }

    /// `rest` is behind `<` or `</`. `None` if the document ends before the tag does.
    fn tag(&mut self) -> Option<Tag<'a>> {
        let name = self.take_until(|b| is_space(b) || matches!(b, b'/' | b'>'));
        let mut attributes = Vec::new();
        loop {
            self.skip(|b| is_space(b) || b == b'/');
            if self.rest.as_bytes().first()? == &b'>' {
                self.rest = &self.rest[1..];
                return Some(Tag { name, attributes });
            }
            let attribute = self.attribute()?;
            if attributes.len() < MAX_ATTRIBUTES {
                attributes.push(attribute);
            }
        }
    }

    fn attribute(&mut self) -> Option<(&'a str, &'a str)> {
        // A `=` in front is part of the name, so that every turn moves on.
        let mut first = true;
        let name = self.take_until(|b| {
            let ends = is_space(b) || matches!(b, b'/' | b'>') || (b == b'=' && !first);
            first = false;
            ends
        });
        self.skip(is_space);
        let Some(value) = self.rest.strip_prefix('=') else {
            return Some((name, ""));
        };
        self.rest = value;
        self.skip(is_space);
        let value = match self.rest.as_bytes().first()? {
            quote @ (b'"' | b'\'') => {
                self.rest = &self.rest[1..];
                let end = self.rest.find(char::from(*quote))?;
                let value = &self.rest[..end];
                self.rest = &self.rest[end + 1..];
                value
            }
            _ => self.take_until(|b| is_space(b) || b == b'>'),
        };
        Some((name, value))
    }

    /// Behind the start tag of an element that holds text only.
    fn skip_text_of(&mut self, name: &str) {
        while let Some(at) = self.rest.find("</") {
            let behind = &self.rest[at + 2..];
            let word = behind.as_bytes().get(..name.len());
            if word.is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes())) {
                self.rest = &self.rest[at..];
                return;
            }
            self.rest = behind;
        }
        self.rest = "";
    }

    /// All the bytes that end something are ASCII, so cuts fall between characters.
    fn take_until(&mut self, ends: impl FnMut(u8) -> bool) -> &'a str {
        let end = self.rest.bytes().position(ends).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn skip(&mut self, skipped: impl Fn(u8) -> bool) {
        self.take_until(|b| !skipped(b));
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\x0c' | b'\r')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Tags as `name[key=value]`, comments as `!text`.
    fn shown(html: &str) -> String {
        let shown = tokens(html).map(|token| match token {
            Token::Comment(text) => format!("!{text}"),
            Token::Start(tag) => {
                let attributes = tag.attributes.iter().map(|(k, v)| format!("[{k}={v}]"));
                format!("{}{}", tag.name, attributes.collect::<String>())
            }
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn tags_are_found_as_the_html_standard_says() {
        let cases = [
            ("<a href='x'>t</a><br>", "a[href=x] br"),
            ("<A HREF=x>", "A[HREF=x]"),
            ("<a href=x/>", "a[href=x/]"),
            ("<a\thref\r\n=\x0c\"a>b\"\n>", "a[href=a>b]"),
            ("<a b c=d e>", "a[b=][c=d][e=]"),
            ("<a/b/c=d/>", "a[b=][c=d/]"),
            ("<a href=\"x\"title='y'>", "a[href=x][title=y]"),
            ("<a =b>", "a[=b=]"),
            ("<a href=>x", "a[href=]"),
            ("< a><1><a", ""),
            ("<a href='x", ""),
            ("1 < 2 <b>", "b"),
            ("<!-- <a href=x> --><b>", "! <a href=x>  b"),
            ("<!--><b><!---><i>", "! b ! i"),
            ("<!-- never closed <b>", "! never closed <b>"),
            ("<!DOCTYPE html><?php echo '<b>' ?><i>", "i"),
            ("</a title='>'><b>", "b"),
            ("</ nothing <b><i>", "i"),
            ("<script>'<a href=x>'</SCRIPT ><b>", "script b"),
            ("<title><a></title><b>", "title b"),
            ("<style><a>", "style"),
            ("<a é=ü>", "a[é=ü]"),
        ];
        for (html, expected) in cases {
            assert_eq!(shown(html), expected, "{html}");
        }
    }

    #[test]
    fn entities_of_attributes_are_decoded_and_the_first_of_a_name_counts() {
        let html = "<a Data-X='&gt;=3.9,&#60;4 &amp;&quot;' data-x=second href='?a=1&copy=2'>";
        let Some(Token::Start(tag)) = tokens(html).next() else {
            panic!("no tag");
        };
        assert_eq!(tag.attribute("data-x").unwrap(), ">=3.9,<4 &\"");
        assert_eq!(tag.attribute("HREF").unwrap(), "?a=1&copy=2");
        assert_eq!(tag.attribute("none"), None);
    }

    #[test]
    fn h18_many_attributes_cost_no_memory() {
        let html = format!("<a {}>", "x ".repeat(100_000));
        let Some(Token::Start(tag)) = tokens(&html).next() else {
            panic!("no tag");
        };
        assert_eq!(tag.attributes.len(), MAX_ATTRIBUTES);
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(html in "[<>/!='\"a \\-é&;?]{0,60}") {
            let _ = shown(&html);
        }
    }
}
