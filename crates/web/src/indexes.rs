//! `/{user}/{index}`: an index and its configuration (devpi: 3).

use http::{Method, Response, StatusCode};
use larder_app::{IndexPatch, Right};
use serde_json::{Map, Value, json};

use crate::body::{Body, RequestBody};
use crate::error::{Refusal, with_allow};
use crate::negotiate::wants_simple;
use crate::request::{Ask, index_name};
use crate::{json, simple};

pub(crate) async fn index(
    ask: &Ask,
    user: &str,
    index: &str,
    slash: bool,
    body: RequestBody,
) -> Result<Response<Body>, Refusal> {
    match *ask.method() {
        Method::GET | Method::HEAD if wants_simple(ask) => {
            simple::list_elsewhere(ask, user, index, slash).await
        }
        Method::GET | Method::HEAD => get(ask, user, index).await,
        Method::PUT => create(ask, user, index, body).await,
        Method::PATCH => modify(ask, user, index, body).await,
        Method::DELETE => delete(ask, user, index).await,
        _ => Err(with_allow("GET, HEAD, PUT, PATCH, DELETE, POST, PUSH")),
    }
}

async fn get(ask: &Ask, user: &str, index: &str) -> Result<Response<Body>, Refusal> {
    let name = index_name(user, index)?;
    let caller = ask.reader(&name).await?;
    let grant = ask.app().grant(&caller, &name, Right::Read).await?;
    let policy = &ask.app().settings().policy;
    let mut result = grant.directory().config_for(grant.index(), &caller, policy);
    if !ask.flag("no_projects") {
        let projects = ask.app().own_projects(&caller, &name).await?;
        result.insert("projects".to_owned(), json!(projects));
    }
    Ok(reply(ask, result))
}

async fn create(
    ask: &Ask,
    user: &str,
    index: &str,
    body: RequestBody,
) -> Result<Response<Body>, Refusal> {
    let (caller, body) = json::read_object(ask, body).await?;
    let config = ask
        .app()
        .create_index(&caller, user, index, &unwrapped(body))
        .await?;
    Ok(reply(ask, config.to_json()))
}

async fn modify(
    ask: &Ask,
    user: &str,
    index: &str,
    body: RequestBody,
) -> Result<Response<Body>, Refusal> {
    let (caller, body) = json::read(ask, body).await?;
    let patch = match body {
        Value::Object(body) => IndexPatch::Object(unwrapped(body)),
        Value::Array(operations) => IndexPatch::List(operations),
        _ => {
            return Err(Refusal::bad_request(
                "Bad request: the body must be a JSON object or a list of operations",
            ));
        }
    };
    let name = index_name(user, index)?;
    let config = ask
        .app()
        .modify_index(&caller, &name, &patch, ask.flag("error_on_noop"))
        .await?;
    Ok(reply(ask, config.to_json()))
}

async fn delete(ask: &Ask, user: &str, index: &str) -> Result<Response<Body>, Refusal> {
    let caller = ask.caller().await?;
    let name = index_name(user, index)?;
    ask.app().delete_index(&caller, &name).await?;
    // devpi answers 201 here, and clients expect it.
    Ok(json::message(
        ask,
        StatusCode::CREATED,
        &format!("index {name} deleted"),
    ))
}

/// devpi: what `GET` gave may be sent back whole.
fn unwrapped(mut body: Map<String, Value>) -> Map<String, Value> {
    if body.get("type").is_some_and(|kind| kind == "indexconfig")
        && let Some(Value::Object(result)) = body.remove("result")
    {
        return result;
    }
    body
}

fn reply(ask: &Ask, config: Map<String, Value>) -> Response<Body> {
    json::reply(
        ask,
        StatusCode::OK,
        "indexconfig",
        &Value::Object(config),
        None,
    )
}
