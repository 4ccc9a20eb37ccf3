//! Named steps at which a crash test ends the process.
//!
//! Built with the feature `failpoints`, `FAILPOINTS=app.upload.published=return(abort)`
//! ends the process there and then, as a `kill -9` would. Without the feature a
//! step is nothing at all.

#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) fn reach(_step: &str) {}

#[cfg(feature = "failpoints")]
pub(crate) fn reach(step: &str) {
    let points = std::env::var("FAILPOINTS").unwrap_or_default();
    let named = points.split(';').filter_map(|point| point.split_once('='));
    if named
        .into_iter()
        .any(|(name, action)| name == step && action == "return(abort)")
    {
        std::process::abort();
    }
}
