//! `PUSH` (or `POST` of JSON) on `/{user}/{index}` (devpi: 5).

use http::{Response, StatusCode};
use larder_app::PushAction;
use larder_model::PushRequest;
use serde_json::{Value, json};

use crate::body::{Body, RequestBody};
use crate::error::Refusal;
use crate::json;
use crate::request::{Ask, index_name};

pub(crate) async fn push(
    ask: &Ask,
    user: &str,
    index: &str,
    body: RequestBody,
) -> Result<Response<Body>, Refusal> {
    let (caller, body) = json::read_object(ask, body).await?;
    let request =
        PushRequest::from_json(&body).map_err(|error| Refusal::bad_request(error.to_string()))?;
    let source = index_name(user, index)?;
    // devpi: the 401 of a push asks for no credentials.
    let actions = ask
        .app()
        .push(&caller, &source, &request)
        .await
        .map_err(|error| Refusal::from(error).without_challenge())?;
    let status = if actions.iter().all(PushAction::is_done) {
        StatusCode::OK
    } else {
        StatusCode::BAD_GATEWAY
    };
    let log: Vec<Value> = actions.iter().map(line).collect();
    Ok(json::reply(ask, status, "actionlog", &json!(log), None))
}

/// A line of the log as devpi-client prints it.
fn line(action: &PushAction) -> Value {
    match action {
        PushAction::Registered {
            name,
            version,
            target,
        } => json!([200, "register", name, version, "->", target]),
        PushAction::Stored { path } => json!([200, "store_releasefile", path]),
        PushAction::StoredToxresult { path } => json!([200, "store_toxresult", path]),
        PushAction::StoredDocs {
            name,
            version,
            target,
        } => json!([200, "store_doczip", name, version, "->", target]),
        PushAction::Submitted {
            code,
            name,
            version,
        } => json!([code, "register", name, version]),
        PushAction::Sent { code, path, text } => json!([code, "upload", path, text]),
        PushAction::SentDocs { code, name, text } if text.is_empty() => {
            json!([code, "docfile", name])
        }
        PushAction::SentDocs { code, name, text } => json!([code, "docfile", name, text]),
        PushAction::Unanswered { what, message } => {
            json!([-1, format!("exception on {what}:"), message])
        }
    }
}
