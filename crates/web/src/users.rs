//! `/` and `/{user}`: users and what they own (devpi: 1.7, 2.5).

use http::{Method, Response, StatusCode};
use larder_app::{Directory, User, UserModified};
use larder_model::Caller;
use serde_json::{Map, Value, json};

use crate::body::{Body, RequestBody};
use crate::error::{Refusal, with_allow};
use crate::json;
use crate::login::token;
use crate::request::{Ask, user_name};

pub(crate) async fn list(ask: &Ask) -> Result<Response<Body>, Refusal> {
    let caller = ask.identify().await?.caller();
    let directory = ask.app().directory().await?;
    let users: Map<String, Value> = directory
        .users()
        .map(|user| {
            (
                user.name.to_string(),
                user_json(ask, &directory, user, &caller),
            )
        })
        .collect();
    Ok(json::reply(
        ask,
        StatusCode::OK,
        "list:userconfig",
        &Value::Object(users),
        None,
    ))
}

pub(crate) async fn user(
    ask: &Ask,
    name: &str,
    body: RequestBody,
) -> Result<Response<Body>, Refusal> {
    match *ask.method() {
        Method::GET | Method::HEAD => get(ask, name).await,
        Method::PUT => create(ask, name, body).await,
        Method::PATCH => modify(ask, name, body).await,
        Method::DELETE => delete(ask, name).await,
        _ => Err(with_allow("GET, HEAD, PUT, PATCH, DELETE")),
    }
}

async fn get(ask: &Ask, name: &str) -> Result<Response<Body>, Refusal> {
    let caller = ask.identify().await?.caller();
    let directory = ask.app().directory().await?;
    let absent = || Refusal::new(StatusCode::NOT_FOUND, format!("no user '{name}'"));
    let user = directory.user(&user_name(name)?).ok_or_else(absent)?;
    Ok(json::reply(
        ask,
        StatusCode::OK,
        "userconfig",
        &user_json(ask, &directory, user, &caller),
        None,
    ))
}

async fn create(ask: &Ask, name: &str, body: RequestBody) -> Result<Response<Body>, Refusal> {
    let (caller, body) = json::read_object(ask, body).await?;
    let user = ask.app().create_user(&caller, name, &body).await?;
    let directory = ask.app().directory().await?;
    Ok(json::reply(
        ask,
        StatusCode::CREATED,
        "userconfig",
        &user_json(ask, &directory, &user, &caller),
        None,
    ))
}

async fn modify(ask: &Ask, name: &str, body: RequestBody) -> Result<Response<Body>, Refusal> {
    let (caller, body) = json::read_object(ask, body).await?;
    Ok(
        match ask
            .app()
            .modify_user(&caller, &user_name(name)?, &body)
            .await?
        {
            UserModified::Password(login) => json::reply(
                ask,
                StatusCode::OK,
                "userpassword",
                &token(&login),
                Some("user updated, new proxy auth"),
            ),
            UserModified::Profile => json::message(ask, StatusCode::OK, "user updated"),
        },
    )
}

async fn delete(ask: &Ask, name: &str) -> Result<Response<Body>, Refusal> {
    let caller = ask.caller().await?;
    ask.app().delete_user(&caller, &user_name(name)?).await?;
    Ok(json::message(
        ask,
        StatusCode::OK,
        &format!("user '{name}' deleted"),
    ))
}

/// Never a password hash; the address only for the user and root; no index that
/// the caller may not read (P06).
fn user_json(ask: &Ask, directory: &Directory, user: &User, caller: &Caller) -> Value {
    let mut result = user.profile.clone();
    if caller
        .name()
        .is_none_or(|name| *name != user.name && !name.is_root())
    {
        result.remove("email");
    }
    result.insert("username".to_owned(), json!(user.name));
    result.insert("created".to_owned(), json!(user.created.to_devpi()));
    if let Some(modified) = user.modified {
        result.insert("modified".to_owned(), json!(modified.to_devpi()));
    }
    let policy = &ask.app().settings().policy;
    let owned: Map<String, Value> = directory
        .indexes_for(&user.name, caller, policy)
        .map(|index| {
            (
                index.name.index().to_owned(),
                Value::Object(directory.config_for(index, caller, policy)),
            )
        })
        .collect();
    result.insert("indexes".to_owned(), Value::Object(owned));
    Value::Object(result)
}
