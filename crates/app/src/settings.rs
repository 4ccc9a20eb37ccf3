//! What the operator decided, as the verbs need it.

use std::time::Duration;

use larder_model::Policy;

use crate::DevpiSecret;

/// Settings of the verbs; the binary fills them from flags, environment and file.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `--restrict-modify` and whether sign-up is open.
    pub policy: Policy,
    /// `--devpi-compat`: devpi's open defaults.
    pub devpi_compat: bool,
    /// `--offline-mode`: no upstream is contacted.
    pub offline: bool,
    /// `--mirror-cache-expiry`: how long a page of a mirror counts as fresh.
    pub mirror_cache_expiry: Duration,
    /// `--request-timeout`: how long a client waits for an upstream's page.
    pub request_timeout: Duration,
    /// `--max-request-body-size`, in bytes.
    pub max_body_bytes: u64,
    /// Room for rendered pages, in bytes.
    pub page_cache_bytes: u64,
    /// How long a login token lives (devpi: 10 hours).
    pub token_lifetime: Duration,
    /// The secret of `--secretfile`; without one the database's is used, which all nodes share.
    pub secret: Option<[u8; 32]>,
    /// The same secret as a devpi server used it, whose logins then go on.
    pub devpi_secret: Option<DevpiSecret>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            policy: Policy {
                restrict_modify: None,
                open_registration: false,
            },
            devpi_compat: false,
            offline: false,
            mirror_cache_expiry: Duration::from_mins(30),
            request_timeout: Duration::from_secs(5),
            max_body_bytes: 1 << 30,
            page_cache_bytes: 64 << 20,
            token_lifetime: Duration::from_hours(10),
            secret: None,
            devpi_secret: None,
        }
    }
}
