//! `…/{version}/+yank`: yanking own releases and files (S-39).

use http::{Method, Response, StatusCode};
use larder_app::YankRequest;
use serde_json::{Map, Value};

use crate::body::{Body, RequestBody};
use crate::error::{Refusal, with_allow};
use crate::json;
use crate::request::{Ask, index_name, project_name};

/// What is to be yanked, as in the address; without a file name all of the release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct YankAddress<'a> {
    pub(crate) user: &'a str,
    pub(crate) index: &'a str,
    pub(crate) project: &'a str,
    pub(crate) version: &'a str,
    pub(crate) filename: Option<&'a str>,
}

/// `PUT {"reason": "…"}` yanks, `DELETE` takes it back.
pub(crate) async fn change(
    ask: &Ask,
    address: YankAddress<'_>,
    body: RequestBody,
) -> Result<Response<Body>, Refusal> {
    let (caller, reason) = match *ask.method() {
        Method::PUT => {
            let (caller, body) = json::read_object(ask, body).await?;
            (caller, Some(reason(&body)?))
        }
        Method::DELETE => (ask.caller().await?, None),
        _ => return Err(with_allow("PUT, DELETE")),
    };
    let name = index_name(address.user, address.index)?;
    let request = YankRequest {
        project: project_name(address.project)?,
        version: address.version.to_owned(),
        filename: address.filename.map(str::to_owned),
        reason,
    };
    let count = ask.app().yank(&caller, &name, &request).await?;
    let what = if request.reason.is_some() {
        "yanked"
    } else {
        "unyanked"
    };
    let files = if count == 1 { "file" } else { "files" };
    let message = format!(
        "{count} {files} of {} {} {what}",
        request.project, request.version
    );
    Ok(json::message(ask, StatusCode::OK, &message))
}

fn reason(body: &Map<String, Value>) -> Result<String, Refusal> {
    if let Some(key) = body.keys().find(|key| *key != "reason") {
        let key: String = key.chars().take(80).collect();
        return Err(Refusal::bad_request(format!("unknown key '{key}'")));
    }
    match body.get("reason") {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(reason)) => Ok(reason.clone()),
        Some(_) => Err(Refusal::bad_request("the reason needs to be a text")),
    }
}
