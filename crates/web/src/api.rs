//! `+api`: what devpi-client asks first (devpi: 1.3).

use http::{Response, StatusCode};
use larder_app::Identified;
use larder_model::{Caller, IndexKind};
use serde_json::{Value, json};

use crate::body::Body;
use crate::error::Refusal;
use crate::json;
use crate::request::{Ask, index_name};

/// What devpi-client may use; it reads this list.
const FEATURES: [&str; 4] = [
    "push-no-docs",
    "push-only-docs",
    "push-register-project",
    "server-keyvalue-parsing",
];

pub(crate) async fn get(
    ask: &Ask,
    user: Option<&str>,
    index: Option<&str>,
) -> Result<Response<Body>, Refusal> {
    let status = match ask.identify().await? {
        Identified::User(Caller::User { name, groups }) => json!(["ok", name, groups]),
        _ => json!(["noauth", "", []]),
    };
    let mut result =
        json!({"login": ask.absolute("/+login"), "authstatus": status, "features": FEATURES});
    if let (Some(user), Some(index), Value::Object(result)) = (user, index, &mut result) {
        let name = index_name(user, index)?;
        let kind = ask.app().index_kind(&name).await?;
        let base = ask.absolute(&format!("/{name}"));
        result.insert("index".to_owned(), json!(base));
        result.insert("simpleindex".to_owned(), json!(format!("{base}/+simple/")));
        if kind == IndexKind::Stage {
            result.insert("pypisubmit".to_owned(), json!(format!("{base}/")));
        }
    }
    Ok(json::reply(ask, StatusCode::OK, "apiconfig", &result, None))
}
