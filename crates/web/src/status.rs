//! `/+status`: enough for `devpi --version`, and nothing a stranger need not know.

use http::{Response, StatusCode};
use serde_json::json;

use crate::body::Body;
use crate::error::Refusal;
use crate::headers::{DEVPI_VERSION, LARDER_VERSION};
use crate::json;
use crate::request::Ask;

pub(crate) async fn get(ask: &Ask) -> Result<Response<Body>, Refusal> {
    let serial = ask
        .app()
        .directory()
        .await
        .map(|_| ask.app().last_known_serial())?;
    let result = json!({
        "role": "MASTER",
        "uuid": ask.app().identity().uuid,
        "serial": serial,
        "versioninfo": {"devpi-server": DEVPI_VERSION, "larder": LARDER_VERSION},
    });
    Ok(json::reply(ask, StatusCode::OK, "status", &result, None))
}
