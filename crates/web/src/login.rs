//! `POST /+login` (devpi: 2.2).

use http::{Response, StatusCode};
use serde_json::{Value, json};

use crate::body::{Body, RequestBody};
use crate::error::Refusal;
use crate::json;
use crate::request::Ask;

pub(crate) async fn post(ask: &Ask, body: RequestBody) -> Result<Response<Body>, Refusal> {
    if !takes_json(ask.accept()) {
        return Err(Refusal::new(
            StatusCode::NOT_FOUND,
            "a login is answered in JSON, which the header Accept does not allow",
        ));
    }
    let body = json::read_strangers_object(ask, body).await?;
    let text = |key: &str| body.get(key).and_then(Value::as_str);
    let (Some(user), Some(password)) = (text("user"), text("password")) else {
        return Err(Refusal::bad_request(
            "Bad request: no user/password specified",
        ));
    };
    let login = ask
        .app()
        .login(user, password, ask.sender().address)
        .await
        .map_err(|error| Refusal::from(error).without_challenge())?;
    let result = token(&login);
    Ok(json::reply(
        ask,
        StatusCode::OK,
        "proxyauth",
        &result,
        Some("login successful"),
    ))
}

/// devpi: 2.2.
fn takes_json(accept: Option<&str>) -> bool {
    accept.is_none_or(|accept| {
        ["*/*", "application/*", "application/json"]
            .iter()
            .any(|kind| accept.contains(kind))
    })
}

/// devpi calls the token a password.
pub(crate) fn token(login: &larder_app::Login) -> Value {
    json!({"password": login.token, "expiration": login.expires_in_secs})
}
