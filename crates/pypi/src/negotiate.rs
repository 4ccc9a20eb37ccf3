//! Choosing what to send from what a client says about itself: the format of
//! a page, the JSON API or not, an installer or a browser, a content coding.
//!
//! Invariant: any text has an answer, in time linear in its length, of which
//! at most 8 KiB are looked at. Left out: headers; these functions see values.

/// How a project page or the project list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PageFormat {
    /// PEP 691.
    Json,
    /// PEP 503 under its own media type.
    HtmlV1,
    /// PEP 503 as `text/html`.
    Html,
}

impl PageFormat {
    /// The exact `Content-Type` (S-11: uv compares it letter by letter).
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/vnd.pypi.simple.v1+json",
            Self::HtmlV1 => "application/vnd.pypi.simple.v1+html",
            Self::Html => "text/html; charset=utf-8",
        }
    }

    /// In the order in which ties are decided (S-10, step 4).
    const ALL: [Self; 3] = [Self::Json, Self::HtmlV1, Self::Html];

    /// The format with this media type. `latest` means v1.
    fn named(media_type: &str) -> Option<Self> {
        const NAMES: [(&str, PageFormat); 5] = [
            ("application/vnd.pypi.simple.v1+json", PageFormat::Json),
            ("application/vnd.pypi.simple.latest+json", PageFormat::Json),
            ("application/vnd.pypi.simple.v1+html", PageFormat::HtmlV1),
            (
                "application/vnd.pypi.simple.latest+html",
                PageFormat::HtmlV1,
            ),
            ("text/html", PageFormat::Html),
        ];
        let found = NAMES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(media_type));
        found.map(|(_, format)| *format)
    }
}

/// The `format` parameter names no format of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown format: use application/vnd.pypi.simple.v1+json, \
     application/vnd.pypi.simple.v1+html or text/html"
)]
pub struct UnknownFormat;

/// The format of a page (S-10): the `format` parameter of the query, already
/// decoded, beats the `Accept` header; without either, or when nothing fits,
/// it is `text/html`, never an error (uv gives up on a 406).
pub fn page_format(
    accept: Option<&str>,
    format_param: Option<&str>,
) -> Result<PageFormat, UnknownFormat> {
    if let Some(name) = format_param {
        // A `+` in a query decodes to a space.
        return PageFormat::named(&name.trim().replace(' ', "+")).ok_or(UnknownFormat);
    }
    let mut named = [None::<u16>; 3];
    let mut anything = false;
    for item in items(accept.unwrap_or_default()) {
        anything |= item.name == "*/*" && item.quality > 0;
        if let Some(format) = PageFormat::named(item.name) {
            let best = &mut named[format as usize];
            *best = Some(best.map_or(item.quality, |known| known.max(item.quality)));
        }
    }
    let quality = |format: PageFormat| named[format as usize];
    // What is named beats what only a wildcard admits, whatever their qualities.
    let mut best = None;
    for format in PageFormat::ALL {
        let quality = quality(format).unwrap_or(0);
        if quality > best.map_or(0, |(_, quality)| quality) {
            best = Some((format, quality));
        }
    }
    if let Some((format, _)) = best {
        return Ok(format);
    }
    // Only wildcards, or nothing fits: HTML, unless refused by name while others are welcome.
    let fallback = [PageFormat::Html, PageFormat::HtmlV1, PageFormat::Json];
    let welcome = |format: &PageFormat| quality(*format) != Some(0);
    let admitted = fallback
        .into_iter()
        .find(|format| anything && welcome(format));
    Ok(admitted.unwrap_or(PageFormat::Html))
}

/// Whether the devpi API's JSON is what the client wants most: `application/json`
/// is named, nothing named is preferred to it, and every format of a page that
/// is named comes strictly after it.
pub fn prefers_json_api(accept: Option<&str>) -> bool {
    let (mut json, mut pages, mut others) = (0, 0, 0);
    for item in items(accept.unwrap_or_default()) {
        let best = if item.name.eq_ignore_ascii_case("application/json") {
            &mut json
        } else if PageFormat::named(item.name).is_some() {
            &mut pages
        } else if item.name.contains('*') {
            continue;
        } else {
            &mut others
        };
        *best = item.quality.max(*best);
    }
    json > pages && json >= others
}

/// Whether the `User-Agent` is one of the installers that devpi knows
/// (devpi: 0.5): a word that begins with one of these names.
pub fn is_installer(user_agent: Option<&str>) -> bool {
    const NAMES: [&str; 5] = ["distribute/", "setuptools/", "pip/", "pex/", "uv/"];
    let words = head(user_agent.unwrap_or_default()).split(' ');
    words
        .into_iter()
        .any(|word| NAMES.iter().any(|name| word.starts_with(name)))
}

/// A content coding that Larder can send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coding {
    /// As it is.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

/// The best content coding a client takes (RFC 9110, 12.5.3): at equal quality
/// zstd, then gzip, then none. A `*` does not admit zstd: who sends one rarely
/// means a coding that is younger than its client.
pub fn coding(accept_encoding: Option<&str>) -> Coding {
    let (mut zstd, mut gzip, mut identity, mut wildcard) = (None, None, None, None);
    for item in items(accept_encoding.unwrap_or_default()) {
        let slot = match item.name {
            name if name.eq_ignore_ascii_case("zstd") => &mut zstd,
            name if name.eq_ignore_ascii_case("gzip") => &mut gzip,
            name if name.eq_ignore_ascii_case("x-gzip") => &mut gzip,
            name if name.eq_ignore_ascii_case("identity") => &mut identity,
            "*" => &mut wildcard,
            _ => continue,
        };
        *slot = Some(item.quality.max(slot.unwrap_or(0)));
    }
    // Not named, `identity` is taken, but after everything that is named.
    let zstd = zstd.unwrap_or(0);
    let gzip = gzip.or(wildcard).unwrap_or(0);
    let identity = identity.unwrap_or(0);
    if zstd > 0 && zstd >= gzip && zstd >= identity {
        Coding::Zstd
    } else if gzip > 0 && gzip >= identity {
        Coding::Gzip
    } else {
        Coding::Identity
    }
}

/// One member of a list like `Accept`.
struct Item<'a> {
    name: &'a str,
    /// Thousandths.
    quality: u16,
}

/// What of a header is looked at.
const MAX_HEADER_BYTES: usize = 8192;

/// The members of a list, those with a malformed quality left out.
fn items(list: &str) -> impl Iterator<Item = Item<'_>> {
    complete_items(list).split(',').filter_map(|member| {
        let mut parts = member.split(';');
        let name = parts.next()?.trim();
        let mut quality = 1000;
        for parameter in parts {
            // Parameters other than q are ignored.
            if let Some((key, value)) = parameter.split_once('=')
                && key.trim().eq_ignore_ascii_case("q")
            {
                quality = thousandths(value.trim())?;
            }
        }
        Some(Item { name, quality })
    })
}

/// The list up to the last comma within the limit: half a member could mean the opposite.
fn complete_items(list: &str) -> &str {
    let head = head(list);
    if head.len() == list.len() {
        return list;
    }
    head.rfind(',').map_or("", |comma| &head[..comma])
}

fn head(text: &str) -> &str {
    let mut end = text.len().min(MAX_HEADER_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// `0`, `0.25`, `.5`, `1.000`.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: u16 = match whole {
        "" if !fraction.is_empty() => 0,
        "0" => 0,
        "1" => 1000,
        _ => return None,
    };
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    Some(whole + fraction).filter(|quality| *quality <= 1000)
}

#[cfg(test)]
mod tests;
