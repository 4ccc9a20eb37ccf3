//! A JSON value of which only what a page can mean is kept.
//!
//! Invariant: whatever type stands there, reading succeeds, and takes memory
//! for at most [`MAX_ENTRIES`] members of one object and none of a list.

use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

/// More than there are hash algorithms or keys of `meta`.
const MAX_ENTRIES: usize = 32;

/// Text, number, boolean, or an object of these; everything else is nothing.
#[derive(Debug, Default, PartialEq)]
pub(super) enum Loose {
    #[default]
    Nothing,
    Bool(bool),
    Number(u64),
    Text(String),
    Map(Vec<(String, Loose)>),
}

impl Loose {
    const NOTHING: &'static Self = &Self::Nothing;

    pub(super) fn is_nothing(&self) -> bool {
        *self == Self::Nothing
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Also from text: there are servers that write `_last-serial` so (P-02).
    pub(super) fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    pub(super) fn entries(&self) -> &[(String, Self)] {
        match self {
            Self::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The member of an object with this key.
    pub(super) fn get(&self, key: &str) -> &Self {
        let found = self.entries().iter().find(|(name, _)| name == key);
        found.map_or(Self::NOTHING, |(_, value)| value)
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        LooseVisitor { keep_objects: true }.deserialize(deserializer)
    }
}

struct LooseVisitor {
    keep_objects: bool,
}

impl<'de> DeserializeSeed<'de> for LooseVisitor {
    type Value = Loose;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Loose, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Loose, E> {
        Ok(Loose::Nothing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Loose, E> {
        Ok(Loose::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Loose, E> {
        Ok(Loose::Number(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Loose, E> {
        Ok(Loose::Nothing)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Loose, E> {
        Ok(Loose::Nothing)
    }

    fn visit_str<E>(self, text: &str) -> Result<Loose, E> {
        Ok(Loose::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Loose, E> {
        Ok(Loose::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Loose, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Loose::Nothing)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Loose, A::Error> {
        let mut entries = Vec::new();
        if self.keep_objects {
            while entries.len() < MAX_ENTRIES
                && let Some(key) = object.next_key()?
            {
                let inner = Self {
                    keep_objects: false,
                };
                entries.push((key, object.next_value_seed(inner)?));
            }
        }
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(if self.keep_objects {
            Loose::Map(entries)
        } else {
            Loose::Nothing
        })
    }
}
