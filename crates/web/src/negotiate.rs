//! Which of several answers an address gives.

use larder_pypi::negotiate::{PageFormat, is_installer, page_format, prefers_json_api};

use crate::request::Ask;

/// `/{user}/{index}` and `/{user}/{index}/{project}` are simple pages for
/// installers and for whoever asks for simple JSON (devpi: 0.5), and devpi's
/// JSON for everybody else.
pub(crate) fn wants_simple(ask: &Ask) -> bool {
    if prefers_json_api(ask.accept()) {
        return false;
    }
    let json = page_format(ask.accept(), None).is_ok_and(|format| format == PageFormat::Json);
    json || is_installer(ask.agent())
}
