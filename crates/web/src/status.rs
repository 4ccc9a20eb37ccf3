//! `/+status` (devpi: 1.4): all that a server of its own tells. Where it runs and
//! what it counts is for root, and with `--devpi-compat` for everybody (G35);
//! others find those keys empty.

use http::{Response, StatusCode};
use larder_app::{App, Status};
use serde_json::{Value, json};

use crate::body::Body;
use crate::error::Refusal;
use crate::headers::{DEVPI_VERSION, LARDER_VERSION};
use crate::json;
use crate::request::Ask;
use crate::{OutsideUrl, Place, WebSettings};

pub(crate) async fn get(ask: &Ask) -> Result<Response<Body>, Refusal> {
    let caller = ask.identify().await?.caller();
    let status = ask.app().status().await?;
    let inside = ask.app().may_look_inside(&caller);
    let result = describe(ask.app(), ask.settings(), status, inside);
    Ok(json::reply(ask, StatusCode::OK, "status", &result, None))
}

fn describe(app: &App, settings: &WebSettings, status: Status, inside: bool) -> Value {
    let place = settings.place.as_ref().filter(|_| inside);
    let outside = settings.outside_url.as_ref().filter(|_| inside);
    let told = |of: fn(&Place) -> Value| place.map_or(Value::Null, of);
    let changed = status.changed.map(|at| seconds(at.as_micros()));
    let metrics = if inside { metrics(app) } else { json!([]) };
    json!({
        "serverdir": told(|place| json!(place.serverdir)),
        "uuid": app.identity().uuid,
        "versioninfo": {"devpi-server": DEVPI_VERSION, "larder": LARDER_VERSION},
        "server-code": told(|place| json!(place.program)),
        "host": told(|place| json!(place.host)),
        "port": told(|place| json!(place.port)),
        "outside-url": outside.map(OutsideUrl::base),
        "serial": status.serial,
        "last-commit-timestamp": changed,
        // There is no queue of events: what is committed is processed.
        "event-serial": status.serial,
        "event-serial-timestamp": changed,
        "event-serial-in-sync-at": changed,
        "metrics": metrics,
        "role": "MASTER",
        "polling_replicas": {},
    })
}

fn metrics(app: &App) -> Value {
    let samples = app.samples().into_iter();
    samples
        .map(|sample| json!([sample.name, sample.kind.as_str(), sample.value]))
        .collect()
}

/// devpi gives times as a fraction of seconds since 1970.
#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds of our time fit into 53 bits"
)]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}
