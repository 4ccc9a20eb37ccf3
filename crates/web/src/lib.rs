//! HTTP in, HTTP out: routes, negotiation, status codes, headers, bodies.
//!
//! Invariants: a handler parses, makes one call to `app`, and renders; only
//! this crate knows status codes and headers; a body that breaks is cut, never
//! ended; what a stranger sends is bounded before it is looked at.

mod api;
mod authcheck;
mod body;
mod conditional;
mod docs;
mod error;
mod files;
mod headers;
mod indexes;
mod json;
mod login;
mod multipart;
mod negotiate;
mod openapi;
mod outside;
mod path;
mod patience;
mod push;
mod releases;
mod request;
mod routes;
mod serve;
mod simple;
mod status;
mod toxresults;
mod upload;
mod users;
mod yank;

pub use body::{Body, RequestBody};
pub use outside::{OutsideUrl, TrustedProxies};
pub use routes::{ROUTES, RouteInfo};
pub use serve::{Limits, serve};

use std::net::IpAddr;
use std::sync::Arc;

use http::{Method, Request, Response};
use http_body::Body as _;
use larder_app::App;

use outside::Sender;

/// The settings of the HTTP face.
#[derive(Debug, Clone, Default)]
pub struct WebSettings {
    /// `--outside-url`.
    pub outside_url: Option<OutsideUrl>,
    /// `--trusted-proxy`: whose forwarding headers count.
    pub trusted_proxies: TrustedProxies,
    /// `--absolute-urls`: pages link to files by whole URLs.
    pub absolute_urls: bool,
    /// Where the server runs, if that is known.
    pub place: Option<Place>,
}

/// Where a server runs: told to whoever may look inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// `--serverdir`.
    pub serverdir: String,
    /// The program.
    pub program: String,
    /// The address it listens on.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// Larder's HTTP face. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Web {
    app: App,
    settings: Arc<WebSettings>,
    headers: Arc<headers::Standard>,
}

impl Web {
    /// The face of this app.
    pub fn new(app: App, settings: WebSettings) -> Self {
        let headers = Arc::new(headers::Standard::new(&app.identity().uuid));
        Self {
            app,
            settings: Arc::new(settings),
            headers,
        }
    }

    /// Answers one request. Never fails: what goes wrong becomes an answer.
    pub async fn handle(&self, request: Request<RequestBody>, peer: IpAddr) -> Response<Body> {
        let started = std::time::Instant::now();
        let sender = Sender::of(&self.settings.trusted_proxies, peer, request.headers());
        let line = headers::LogLine::of(&request, sender.address);
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        // Boxed, so that an idle connection keeps no room for a request.
        let mut response = Box::pin(routes::answer(self, request, sender)).await;
        let serial = if is_read {
            self.app.last_known_serial()
        } else {
            self.app.serial_after_write().await
        };
        self.headers.put(&mut response, serial);
        let metrics = self.app.metrics();
        metrics.requests.increment();
        metrics
            .bytes_sent
            .add(response.body().size_hint().exact().unwrap_or(0));
        line.write(&response, started.elapsed());
        response
    }
}
