//! `POST …/+f/{path}`: test results of files (devpi: 6.1).

use http::{Response, StatusCode};
use larder_app::{Error, FilePath, Grant};
use larder_model::IndexName;
use serde_json::json;

use crate::body::{Body, RequestBody};
use crate::error::Refusal;
use crate::files::no_file;
use crate::json;
use crate::request::{Ask, index_name};

/// Largest test result, in bytes: they hold the output of commands (reliability: G17).
const MAX_TOXRESULT_BYTES: usize = 16 << 20;

pub(crate) async fn post(
    ask: &Ask,
    user: &str,
    index: &str,
    path: &[&str],
    body: RequestBody,
) -> Result<Response<Body>, Refusal> {
    let name = index_name(user, index)?;
    let path = FilePath::from_segments("+f", path).ok_or_else(no_file)?;
    // Before the body: a stranger's bytes are not even spooled.
    let grant = match begin(ask, &name, &path).await {
        Ok(grant) => grant,
        Err(refusal) => {
            json::drain(body).await;
            return Err(refusal);
        }
    };
    let mut spool = ask.app().toxresult_spool().await?;
    let mut chunks = json::Chunks::new(body, MAX_TOXRESULT_BYTES);
    while let Some(chunk) = chunks.next().await? {
        spool.append(chunk).await.map_err(Error::from)?;
    }
    let finished = spool.finish().await.map_err(Error::from)?;
    let stored = ask.app().finish_toxresult(&grant, &path, finished).await?;
    let result = json!(stored);
    Ok(json::reply(
        ask,
        StatusCode::OK,
        "toxresultpath",
        &result,
        None,
    ))
}

async fn begin(ask: &Ask, name: &IndexName, path: &FilePath) -> Result<Grant, Refusal> {
    json::require(ask)?;
    let caller = ask.caller().await?;
    Ok(ask.app().begin_toxresult(&caller, name, path).await?)
}
