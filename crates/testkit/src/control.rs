//! The fake index's own routes, for tests that are not written in Rust.
//!
//! | route | does |
//! |---|---|
//! | `GET /_hits` | JSON: path to number of requests |
//! | `GET /_seen` | JSON: the last requests with their headers |
//! | `POST /_fault` | `{"path": "/simple/demo/", "fault": {"status": 500}, "times": 2}`; path `*` is all, no `times` is for ever |
//! | `POST /_clear` | `{"path": …}` removes the faults of one path, no body those of all; whatever hangs goes on |
//! | `POST /_down`, `/_up` | resets every connection from now on, or no longer |
//! | `POST /_project` | `{"name": …, "status": …, "reason": …, "serial": …}` |
//! | `POST /_yank` | `{"filename": …, "reason": …}`; a `null` reason takes it back |
//! | `POST /_settings` | `{"max_age": 600, "authorization": "Basic …"}` |
//! | `POST /_reset` | forgets hits and faults, is up |

use bytes::Bytes;
use http::request::Parts;
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::respond::Plain;
use crate::shared::{Shared, State};

#[derive(Deserialize)]
struct SetFault {
    path: String,
    fault: Fault,
    times: Option<u32>,
}

#[derive(Deserialize)]
struct Clear {
    path: String,
}

#[derive(Deserialize)]
struct SetProject {
    name: String,
    status: Option<String>,
    reason: Option<String>,
    serial: Option<u64>,
}

#[derive(Deserialize)]
struct Yank {
    filename: String,
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Settings {
    max_age: Option<u64>,
    authorization: Option<String>,
}

/// Does what a control request asks for.
pub(crate) async fn answer(shared: &Shared, parts: &Parts, body: Incoming) -> Plain {
    let Ok(body) = body.collect().await else {
        return reply(
            StatusCode::BAD_REQUEST,
            &json!({ "error": "the body broke off" }),
        );
    };
    let body = body.to_bytes();
    match shared.change(|state| run(state, &parts.method, parts.uri.path(), &body)) {
        Ok(value) => reply(StatusCode::OK, &value),
        Err(problem) => reply(StatusCode::BAD_REQUEST, &json!({ "error": problem })),
    }
}

fn reply(status: StatusCode, value: &Value) -> Plain {
    Plain::new(status, "application/json", value.to_string())
}

fn run(state: &mut State, method: &Method, path: &str, body: &Bytes) -> Result<Value, String> {
    match (method.as_str(), path) {
        ("GET", "/_hits") => return Ok(json!(state.hits)),
        ("GET", "/_seen") => return Ok(seen(state)),
        ("POST", "/_fault") => {
            let SetFault { path, fault, times } = read(body)?;
            state.add_fault(&path, fault, times);
        }
        ("POST", "/_clear") if body.is_empty() => state.clear_faults(None),
        ("POST", "/_clear") => state.clear_faults(Some(&read::<Clear>(body)?.path)),
        ("POST", "/_down") => state.resetting = true,
        ("POST", "/_up") => state.resetting = false,
        ("POST", "/_project") => {
            let SetProject {
                name,
                status,
                reason,
                serial,
            } = read(body)?;
            let project = state.catalog.project_mut(&name);
            project.status = status.map(|status| (status, reason));
            project.serial = serial;
        }
        ("POST", "/_yank") => {
            let Yank { filename, reason } = read(body)?;
            state.sync_folder();
            if !state.catalog.edit(&filename, |file| file.yanked = reason) {
                return Err(format!("there is no file {filename}"));
            }
        }
        ("POST", "/_settings") => {
            let settings: Settings = read(body)?;
            state.max_age = settings.max_age;
            state.authorization = settings.authorization;
        }
        ("POST", "/_reset") => {
            state.clear_faults(None);
            state.hits.clear();
            state.seen.clear();
            state.posted.clear();
            state.resetting = false;
        }
        _ => return Err(format!("there is no {method} {path}")),
    }
    Ok(json!({}))
}

fn read<'a, T: Deserialize<'a>>(body: &'a Bytes) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn seen(state: &State) -> Value {
    let requests = state.seen.iter();
    requests
        .map(|seen| json!({ "method": seen.method, "path": seen.path, "headers": seen.headers }))
        .collect()
}
