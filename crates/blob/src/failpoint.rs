//! Named points at which a crash test stops, delays or fails the process.
//!
//! Built with the feature `failpoints`, the variable `FAILPOINTS` sets them,
//! as in `blob.link=return(ENOSPC);blob.fsync_dir=return(abort)`: `return`
//! takes `EIO`, `ENOSPC` or `abort` (end the process here and now, as a
//! `kill -9` would); `pause`, `sleep(ms)`, `off`, `1*…` are those of the crate
//! `fail`. Points that hang on a variable of another crate are left to it.
//!
//! Invariant: without the feature a point is nothing at all.

#[cfg(not(feature = "failpoints"))]
#[expect(
    clippy::unnecessary_wraps,
    clippy::inline_always,
    reason = "the same signature as with the feature, at no cost"
)]
#[inline(always)]
pub(crate) fn failpoint(_name: &str) -> std::io::Result<()> {
    Ok(())
}

#[cfg(feature = "failpoints")]
pub(crate) fn failpoint(name: &str) -> std::io::Result<()> {
    read_environment();
    fail::fail_point!(name, |what| fail_with(what.as_deref()));
    Ok(())
}

#[cfg(feature = "failpoints")]
fn read_environment() {
    static READ: std::sync::Once = std::sync::Once::new();
    READ.call_once(|| {
        let points = std::env::var("FAILPOINTS").unwrap_or_default();
        for (name, action) in points.split(';').filter_map(|point| point.split_once('=')) {
            if name.starts_with("blob.")
                && let Err(error) = fail::cfg(name, action)
            {
                tracing::error!(name, action, error, "FAILPOINTS is not understood");
            }
        }
    });
}

#[cfg(feature = "failpoints")]
fn fail_with(what: Option<&str>) -> std::io::Result<()> {
    use rustix::io::Errno;
    match what {
        Some("abort") => std::process::abort(),
        Some("ENOSPC") => Err(Errno::NOSPC.into()),
        _ => Err(Errno::IO.into()),
    }
}
