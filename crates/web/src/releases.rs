//! `/{user}/{index}/{project}` and `…/{version}`: what devpi-client lists and
//! removes (devpi: 1.8, 1.12).

use http::{Method, Response, StatusCode};
use larder_app::{FileLink, ReleaseView};
use serde_json::{Map, Value, json};

use crate::body::Body;
use crate::error::{Refusal, with_allow};
use crate::negotiate::wants_simple;
use crate::request::{Ask, index_name, project_name};
use crate::{json, simple};

pub(crate) async fn project(
    ask: &Ask,
    user: &str,
    index: &str,
    project: &str,
) -> Result<Response<Body>, Refusal> {
    match *ask.method() {
        Method::GET | Method::HEAD if wants_simple(ask) => {
            simple::page_elsewhere(ask, user, index, project).await
        }
        Method::GET | Method::HEAD => list(ask, user, index, project).await,
        Method::DELETE => delete_project(ask, user, index, project).await,
        _ => Err(with_allow("GET, HEAD, DELETE")),
    }
}

pub(crate) async fn release(
    ask: &Ask,
    user: &str,
    index: &str,
    project: &str,
    version: &str,
) -> Result<Response<Body>, Refusal> {
    let (name, project) = (index_name(user, index)?, project_name(project)?);
    match *ask.method() {
        Method::GET | Method::HEAD => {
            let caller = ask.reader(&name).await?;
            let view = ask.app().release(&caller, &name, &project, version).await?;
            Ok(json::reply(
                ask,
                StatusCode::OK,
                "versiondata",
                &view_json(ask, view),
                None,
            ))
        }
        Method::DELETE => {
            let caller = ask.caller().await?;
            ask.app()
                .remove_release(&caller, &name, &project, version, ask.flag("force"))
                .await?;
            Ok(json::message(
                ask,
                StatusCode::OK,
                &format!("project {project} version '{version}' deleted"),
            ))
        }
        _ => Err(with_allow("GET, HEAD, DELETE")),
    }
}

async fn list(
    ask: &Ask,
    user: &str,
    index: &str,
    project: &str,
) -> Result<Response<Body>, Refusal> {
    let (name, project) = (index_name(user, index)?, project_name(project)?);
    let caller = ask.reader(&name).await?;
    let views = ask
        .app()
        .releases(&caller, &name, &project, ask.flag("ignore_bases"))
        .await?;
    let result: Map<String, Value> = views
        .into_iter()
        .map(|view| (view.version.clone(), view_json(ask, view)))
        .collect();
    Ok(json::reply(
        ask,
        StatusCode::OK,
        "projectconfig",
        &Value::Object(result),
        None,
    ))
}

async fn delete_project(
    ask: &Ask,
    user: &str,
    index: &str,
    project: &str,
) -> Result<Response<Body>, Refusal> {
    let (name, project) = (index_name(user, index)?, project_name(project)?);
    let caller = ask.caller().await?;
    ask.app()
        .remove_project(&caller, &name, &project, ask.flag("force"))
        .await?;
    Ok(json::message(
        ask,
        StatusCode::OK,
        &format!("project {project} deleted from stage {name}"),
    ))
}

fn view_json(ask: &Ask, view: ReleaseView) -> Value {
    let mut data = view.metadata;
    if !view.links.is_empty() {
        let links: Vec<Value> = view
            .links
            .into_iter()
            .map(|link| link_json(ask, link))
            .collect();
        data.insert("+links".to_owned(), json!(links));
    }
    if !view.shadowed.is_empty() {
        let shadowed: Vec<Value> = view
            .shadowed
            .into_iter()
            .map(|view| view_json(ask, view))
            .collect();
        data.insert("+shadowing".to_owned(), json!(shadowed));
    }
    Value::Object(data)
}

fn link_json(ask: &Ask, link: FileLink) -> Value {
    let hashes: Map<String, Value> = link
        .hash_spec
        .split_once('=')
        .map(|(algorithm, hex)| (algorithm.to_owned(), json!(hex)))
        .into_iter()
        .collect();
    let mut data = json!({
        "rel": link.rel,
        "hash_spec": link.hash_spec,
        "hashes": hashes,
        "href": ask.absolute(&link.path),
    });
    if let Some(data) = data.as_object_mut() {
        if let Some(path) = link.for_path {
            data.insert("for_href".to_owned(), json!(ask.absolute(&path)));
        }
        if let Some(log) = link.log {
            data.insert("log".to_owned(), json!(log));
        }
    }
    data
}
