//! What the fake index can do wrong.
//!
//! Invariant: every fault has a JSON form, so that tests in other languages
//! can ask for it: `"hang"`, `{"status": 500}`, `{"delay": 2.5}`.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

/// One way to misbehave. Several on one path add up: what the answer is, how
/// the page is written, and how the bytes come.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Answers later. In JSON: seconds.
    Delay(#[serde(deserialize_with = "seconds")] Duration),
    /// Does not answer until the fault is cleared.
    Hang,
    /// Resets the connection instead of answering.
    Reset,
    /// Answers with this status and no body.
    Status(u16),
    /// Answers with 302 to this address.
    Redirect(String),
    /// Answers with exactly this.
    Answer(Answer),
    /// 200 with somebody's login page.
    CaptivePortal,
    /// 200, the right type, no body.
    EmptyBody,
    /// A page that is not JSON although it says so.
    BadJson,
    /// JSON nested 200 000 levels deep.
    DeepJson,
    /// A gzipped page of this many bytes when inflated.
    GzipBomb(u64),
    /// 406 unless `text/html` alone is asked for.
    NotAcceptable,
    /// Pages in HTML whatever is asked for.
    HtmlOnly,
    /// Pages without any hash.
    NoHash,
    /// Neither `ETag` nor `Last-Modified`.
    NoValidators,
    /// This `Content-Type`.
    ContentType(String),
    /// The right number of wrong bytes.
    WrongBytes,
    /// Closes the connection after this many bytes of the body.
    CutAfter(u64),
    /// Sends this many bytes of the body, and the rest once the fault is cleared.
    StallAfter(u64),
    /// Sends this many bytes a second.
    Drip(u64),
    /// No `Content-Length`: the body comes in chunks.
    NoLength,
    /// Ignores `Range`.
    NoRange,
}

/// A whole answer, made up by the test.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers; `Content-Length` is added.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// Its body.
    #[serde(default)]
    pub body: String,
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(deserializer)?;
    Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
}

/// A fault as it was set on a path.
#[derive(Debug, Clone)]
pub(crate) struct Installed {
    /// Given in order; a request that waits for its end remembers it.
    pub(crate) id: u64,
    /// `*` is every path.
    pub(crate) path: String,
    pub(crate) fault: Fault,
    /// Requests it still applies to; `None` is all of them.
    pub(crate) left: Option<u32>,
}

/// The faults that apply to one request.
#[derive(Debug, Default)]
pub(crate) struct Faults(pub(crate) Vec<Installed>);

impl Faults {
    pub(crate) fn has(&self, fault: &Fault) -> bool {
        self.0.iter().any(|installed| installed.fault == *fault)
    }

    /// The first that `pick` makes something of.
    pub(crate) fn find<'a, T>(&'a self, pick: impl Fn(&'a Fault) -> Option<T>) -> Option<T> {
        self.0.iter().find_map(|installed| pick(&installed.fault))
    }

    /// Where to wait in the body, and for which fault to end.
    pub(crate) fn stall(&self) -> Option<(u64, u64)> {
        self.0.iter().find_map(|installed| match installed.fault {
            Fault::StallAfter(len) => Some((len, installed.id)),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_from_json() {
        let table = [
            ("\"hang\"", Fault::Hang),
            ("{\"status\": 503}", Fault::Status(503)),
            ("{\"delay\": 0.5}", Fault::Delay(Duration::from_millis(500))),
            ("{\"cut_after\": 10}", Fault::CutAfter(10)),
            ("{\"redirect\": \"/x\"}", Fault::Redirect("/x".to_owned())),
            (
                "{\"answer\": {\"status\": 200, \"body\": \"hi\"}}",
                Fault::Answer(Answer {
                    status: 200,
                    headers: Vec::new(),
                    body: "hi".to_owned(),
                }),
            ),
        ];
        for (text, expected) in table {
            let fault: Fault = serde_json::from_str(text).unwrap();
            assert_eq!(fault, expected, "{text}");
        }
    }
}
