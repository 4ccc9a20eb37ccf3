//! `/+authcheck`: whether a proxy may give out what it has on its own disk
//! (nginx's `auth_request`; devpi: 1.5).
//!
//! Invariant: the address to judge is a header, so only a trusted proxy may ask
//! (C30); what leads nowhere is refused.

use http::header::HeaderName;
use http::{Response, StatusCode, Uri};

use crate::body::Body;
use crate::error::Refusal;
use crate::request::{Ask, index_name};
use crate::routes::{Guard, guard};

const ORIGINAL_URI: HeaderName = HeaderName::from_static("x-original-uri");

/// Answers any method: a proxy passes the client's on.
pub(crate) async fn any(ask: &Ask) -> Result<Response<Body>, Refusal> {
    if !ask.sender().trusted {
        return Err(forbidden(
            "X-Original-URI counts only from a proxy that --trusted-proxy names",
        ));
    }
    let Some(original) = ask.header(&ORIGINAL_URI) else {
        return Err(forbidden("the header X-Original-URI is missing"));
    };
    let uri: Option<Uri> = original.parse().ok();
    let path = uri.as_ref().map(|uri| ask.below_prefix(uri.path()));
    match path.as_deref().and_then(guard) {
        None => Err(forbidden("there is nothing at this address")),
        Some(Guard::Open) => Ok(Response::new(Body::empty())),
        Some(Guard::Index { user, index }) => judge(ask, &user, &index).await,
    }
}

async fn judge(ask: &Ask, user: &str, index: &str) -> Result<Response<Body>, Refusal> {
    let Ok(name) = index_name(user, index) else {
        // No index has such a name, so there is nothing to hide.
        return Ok(Response::new(Body::empty()));
    };
    let caller = ask.identify().await?.caller();
    if ask.app().may_see(&caller, &name).await? {
        return Ok(Response::new(Body::empty()));
    }
    // devpi-client asks for no password when it sees a 401.
    let is_devpi = ask
        .agent()
        .is_some_and(|agent| agent.contains("devpi-client"));
    let message = format!("no permission to read index {name}");
    Err(if caller.name().is_none() && !is_devpi {
        Refusal::new(StatusCode::UNAUTHORIZED, message)
    } else {
        forbidden(&message)
    })
}

fn forbidden(message: &str) -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, message)
}
