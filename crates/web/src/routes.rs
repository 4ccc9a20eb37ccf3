//! What URL does what: the table of routes.
//!
//! devpi's URLs decide by markers (`+simple`, `+f`), optional slashes and an
//! own method, and arrive percent-encoded in more than one way; so the table is
//! a match over decoded segments.

use http::header::{ACCEPT, HeaderName, USER_AGENT};
use http::{Method, Request, Response, StatusCode};

use crate::body::{Body, RequestBody};
use crate::docs::DocAddress;
use crate::error::{Refusal, Style, with_allow};
use crate::outside::Sender;
use crate::path::{BadPath, Segments, segments};
use crate::request::Ask;
use crate::yank::YankAddress;
use crate::{
    Web, api, authcheck, docs, files, indexes, json, login, openapi, push, releases, simple,
    status, toxresults, upload, users, yank,
};

/// One line of the route table, for the documentation and the tests that keep it whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteInfo {
    /// As in `docs/http.md`.
    pub pattern: &'static str,
    /// The methods it answers.
    pub methods: &'static [&'static str],
}

/// All routes.
pub const ROUTES: &[RouteInfo] = &[
    RouteInfo {
        pattern: "/",
        methods: &["GET", "HEAD"],
    },
    RouteInfo {
        pattern: "/+api",
        methods: &["GET", "HEAD"],
    },
    RouteInfo {
        pattern: "/{user}/+api",
        methods: &["GET", "HEAD"],
    },
    RouteInfo {
        pattern: "/{user}/{index}/+api",
        methods: &["GET", "HEAD"],
    },
    RouteInfo {
        pattern: "/+login",
        methods: &["POST"],
    },
    RouteInfo {
        pattern: "/+status",
        methods: &["GET", "HEAD"],
    },
    RouteInfo {
        pattern: "/+openapi.json",
        methods: &["GET", "HEAD"],
    },
    RouteInfo {
        pattern: "/+authcheck",
        methods: &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    },
    RouteInfo {
        pattern: "/+changelog/{serial}",
        methods: &["GET", "HEAD"],
    },
    RouteInfo {
        pattern: "/{user}",
        methods: &["GET", "HEAD", "PUT", "PATCH", "DELETE"],
    },
    RouteInfo {
        pattern: "/{user}/{index}",
        methods: &["GET", "HEAD", "PUT", "PATCH", "DELETE", "POST", "PUSH"],
    },
    RouteInfo {
        pattern: "/{user}/{index}/+simple/",
        methods: &["GET", "HEAD"],
    },
    RouteInfo {
        pattern: "/{user}/{index}/+simple/{project}/",
        methods: &["GET", "HEAD"],
    },
    RouteInfo {
        pattern: "/{user}/{index}/+simple/{project}/refresh",
        methods: &["POST"],
    },
    RouteInfo {
        pattern: "/{user}/{index}/+f/{path}",
        methods: &["GET", "HEAD", "DELETE", "POST"],
    },
    RouteInfo {
        pattern: "/{user}/{index}/+e/{path}",
        methods: &["GET", "HEAD", "DELETE"],
    },
    RouteInfo {
        pattern: "/{user}/{index}/{project}",
        methods: &["GET", "HEAD", "DELETE"],
    },
    RouteInfo {
        pattern: "/{user}/{index}/{project}/{version}",
        methods: &["GET", "HEAD", "DELETE"],
    },
    RouteInfo {
        pattern: "/{user}/{index}/{project}/{version}/+doc/{path}",
        methods: &["GET", "HEAD"],
    },
    RouteInfo {
        pattern: "/{user}/{index}/{project}/{version}/+d/{path}",
        methods: &["GET", "HEAD"],
    },
    RouteInfo {
        pattern: "/{user}/{index}/{project}/{version}/+yank",
        methods: &["PUT", "DELETE"],
    },
    RouteInfo {
        pattern: "/{user}/{index}/{project}/{version}/+yank/{filename}",
        methods: &["PUT", "DELETE"],
    },
];

/// What a path stands for.
#[derive(Debug, PartialEq, Eq)]
enum Route<'a> {
    Root,
    Api {
        user: Option<&'a str>,
        index: Option<&'a str>,
    },
    Login,
    Status,
    OpenApi,
    Authcheck,
    Changelog,
    User(&'a str),
    Index(&'a str, &'a str),
    ProjectList(&'a str, &'a str),
    ProjectPage(&'a str, &'a str, &'a str),
    Refresh(&'a str, &'a str, &'a str),
    File(&'a str, &'a str, &'a str, Vec<&'a str>),
    Project(&'a str, &'a str, &'a str),
    Release(&'a str, &'a str, &'a str, &'a str),
    Doc(DocAddress<'a>, Vec<&'a str>),
    ToDoc(DocAddress<'a>, Vec<&'a str>),
    Yank(YankAddress<'a>),
}

fn find<'a>(segments: &'a Segments<'_>) -> Option<Route<'a>> {
    let parts: Vec<&str> = segments.parts.iter().map(AsRef::as_ref).collect();
    Some(match parts.as_slice() {
        [] => Route::Root,
        ["+api"] => Route::Api {
            user: None,
            index: None,
        },
        ["+login"] => Route::Login,
        ["+status"] => Route::Status,
        ["+openapi.json"] => Route::OpenApi,
        ["+authcheck"] => Route::Authcheck,
        ["+changelog", _] => Route::Changelog,
        [user, "+api"] => Route::Api {
            user: Some(user),
            index: None,
        },
        [user, index, "+api"] => Route::Api {
            user: Some(user),
            index: Some(index),
        },
        [user] if is_name(user) => Route::User(user),
        [user, index] if is_name(user) && is_name(index) => Route::Index(user, index),
        [user, index, rest @ ..] if is_name(user) && is_name(index) => match rest {
            ["+simple"] => Route::ProjectList(user, index),
            ["+simple", project] => Route::ProjectPage(user, index, project),
            ["+simple", project, "refresh"] => Route::Refresh(user, index, project),
            [area @ ("+f" | "+e"), path @ ..] if !path.is_empty() => {
                Route::File(user, index, area, path.to_vec())
            }
            [project] if is_name(project) => Route::Project(user, index, project),
            [project, version] if is_name(project) && !version.starts_with('+') => {
                Route::Release(user, index, project, version)
            }
            [project, version, marker @ ("+doc" | "+d"), path @ ..] if is_name(project) => {
                let address = DocAddress {
                    user,
                    index,
                    project,
                    version,
                };
                documentation(address, marker, path, segments.slash)?
            }
            [project, version, "+yank", filename @ ..]
                if is_name(project) && filename.len() < 2 =>
            {
                Route::Yank(YankAddress {
                    user,
                    index,
                    project,
                    version,
                    filename: filename.first().copied(),
                })
            }
            _ => return None,
        },
        _ => return None,
    })
}

/// A page, or what leads to one. A folder has no page of its own.
fn documentation<'a>(
    address: DocAddress<'a>,
    marker: &str,
    path: &[&'a str],
    slash: bool,
) -> Option<Route<'a>> {
    if path
        .iter()
        .any(|part| matches!(*part, "" | "." | "..") || part.contains('/'))
    {
        return None;
    }
    match (marker, path.is_empty(), slash) {
        // devpi: nothing stands at the marker without its slash.
        (_, true, false) | (_, false, true) => None,
        ("+doc", false, false) => Some(Route::Doc(address, path.to_vec())),
        _ => Some(Route::ToDoc(address, path.to_vec())),
    }
}

/// What stands before an address, as `+authcheck` sees it (devpi: 1.5).
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Nothing, or the address decides by itself.
    Open,
    /// The right to read this index.
    Index { user: String, index: String },
}

/// `None`: the path leads nowhere.
pub(crate) fn guard(path: &str) -> Option<Guard> {
    let segments = segments(path).ok()?;
    // A proxy may read such a path as another one than it looks.
    let is_crooked = |part: &str| matches!(part, "" | "." | "..") || part.contains(['/', '\\']);
    if segments.parts.iter().any(|part| is_crooked(part)) {
        return None;
    }
    Some(match find(&segments)? {
        Route::Root
        | Route::Api { .. }
        | Route::Login
        | Route::Status
        | Route::OpenApi
        | Route::Authcheck
        | Route::Changelog
        | Route::User(_) => Guard::Open,
        Route::Index(user, index)
        | Route::ProjectList(user, index)
        | Route::ProjectPage(user, index, _)
        | Route::Refresh(user, index, _)
        | Route::File(user, index, _, _)
        | Route::Project(user, index, _)
        | Route::Release(user, index, _, _)
        | Route::Doc(DocAddress { user, index, .. }, _)
        | Route::ToDoc(DocAddress { user, index, .. }, _)
        | Route::Yank(YankAddress { user, index, .. }) => Guard::Index {
            user: user.to_owned(),
            index: index.to_owned(),
        },
    })
}

/// devpi: `[^+/]+`.
fn is_name(part: &str) -> bool {
    !part.is_empty() && !part.contains(['+', '/'])
}

/// Answers a request.
pub(crate) async fn answer(
    web: &Web,
    request: Request<RequestBody>,
    sender: Sender,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let text = |name: HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
    let style = Style::of(text(ACCEPT), text(USER_AGENT));
    let is_head = head.method == Method::HEAD;
    let ask = match Ask::new(web, head, sender) {
        Ok(ask) => ask,
        Err(refusal) => return refusal.into_response(style, is_head),
    };
    let path = ask.path().to_owned();
    let segments = match segments(&path) {
        Ok(segments) => segments,
        Err(BadPath::TooLong) => {
            return ask.refuse(&Refusal::new(
                StatusCode::URI_TOO_LONG,
                "the path is too long",
            ));
        }
        Err(BadPath::Malformed) => {
            return ask.refuse(&Refusal::new(
                StatusCode::BAD_REQUEST,
                "the path is malformed",
            ));
        }
    };
    let Some(route) = find(&segments) else {
        return ask.refuse(&Refusal::new(
            StatusCode::NOT_FOUND,
            "there is nothing at this address",
        ));
    };
    let slash = segments.slash;
    match dispatch(&ask, route, slash, body).await {
        Ok(response) => response,
        Err(refusal) => ask.refuse(&refusal),
    }
}

/// The rarer routes are boxed, so that pages and files need not carry room for them.
async fn dispatch(
    ask: &Ask,
    route: Route<'_>,
    slash: bool,
    body: RequestBody,
) -> Result<Response<Body>, Refusal> {
    let method = ask.method();
    let read = matches!(*method, Method::GET | Method::HEAD);
    match route {
        Route::Root if read => Box::pin(users::list(ask)).await,
        Route::Api { user, index } if read => api::get(ask, user, index).await,
        Route::Login if method == Method::POST => Box::pin(login::post(ask, body)).await,
        Route::Status if read => Box::pin(status::get(ask)).await,
        Route::Authcheck => Box::pin(authcheck::any(ask)).await,
        Route::Changelog if read => Err(no_replication()),
        Route::OpenApi if read => Ok(openapi::get(ask)),
        Route::User(user) => Box::pin(users::user(ask, user, body)).await,
        // devpi: forms are uploads, JSON is a push.
        Route::Index(user, index)
            if method.as_str() == "PUSH" || (method == Method::POST && json::is_json(ask)) =>
        {
            Box::pin(push::push(ask, user, index, body)).await
        }
        Route::Index(user, index) if method == Method::POST => {
            Box::pin(upload::post(ask, user, index, body)).await
        }
        Route::Index(user, index) => Box::pin(indexes::index(ask, user, index, slash, body)).await,
        Route::ProjectList(user, index) if read => simple::list(ask, user, index, slash).await,
        Route::ProjectPage(user, index, project) if read => {
            simple::page(ask, user, index, project, slash).await
        }
        Route::Refresh(user, index, project) if method == Method::POST => {
            simple::refresh(ask, user, index, project).await
        }
        Route::File(user, index, area, path) if read => {
            files::get(ask, user, index, area, &path).await
        }
        Route::File(user, index, area, path) if method == Method::DELETE => {
            Box::pin(files::delete(ask, user, index, area, &path)).await
        }
        Route::File(user, index, area, path) if method == Method::POST && area == "+f" => {
            Box::pin(toxresults::post(ask, user, index, &path, body)).await
        }
        Route::Doc(address, path) if read => Box::pin(docs::get(ask, address, &path)).await,
        Route::ToDoc(address, path) if read => Ok(docs::to_pages(ask, address, &path)),
        Route::Yank(address) => Box::pin(yank::change(ask, address, body)).await,
        Route::Project(user, index, project) => {
            Box::pin(releases::project(ask, user, index, project)).await
        }
        Route::Release(user, index, project, version) => {
            Box::pin(releases::release(ask, user, index, project, version)).await
        }
        Route::Login | Route::Refresh(..) => Err(with_allow("POST")),
        Route::File(_, _, "+f", _) => Err(with_allow("GET, HEAD, DELETE, POST")),
        Route::File(..) => Err(with_allow("GET, HEAD, DELETE")),
        Route::Root
        | Route::Api { .. }
        | Route::Status
        | Route::OpenApi
        | Route::Changelog
        | Route::ProjectList(..)
        | Route::ProjectPage(..)
        | Route::Doc(..)
        | Route::ToDoc(..) => Err(with_allow("GET, HEAD")),
    }
}

/// devpi's words: nodes share a database here, and follow no primary (devpi: 1.6).
fn no_replication() -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, "Replication protocol disabled")
}

#[cfg(test)]
mod tests {
    use super::{ROUTES, Route, find};
    use crate::path::segments;

    fn found(path: &str) -> String {
        let segments = segments(path).expect("a good path");
        find(&segments).map_or_else(|| "nothing".to_owned(), |route| format!("{route:?}"))
    }

    #[test]
    fn paths_are_read_as_devpi_reads_them() {
        let table = [
            ("/", "Root"),
            ("/+api", "Api { user: None, index: None }"),
            ("/alice/+api", "Api { user: Some(\"alice\"), index: None }"),
            (
                "/alice/dev/+api/",
                "Api { user: Some(\"alice\"), index: Some(\"dev\") }",
            ),
            ("/+login", "Login"),
            ("/+status", "Status"),
            ("/+openapi.json", "OpenApi"),
            ("/+authcheck", "Authcheck"),
            ("/+changelog/7", "Changelog"),
            ("/+changelog/7-", "Changelog"),
            ("/+changelog", "nothing"),
            ("/alice", "User(\"alice\")"),
            ("/alice/", "User(\"alice\")"),
            ("/alice/dev/", "Index(\"alice\", \"dev\")"),
            ("/alice/dev/%2Bsimple", "ProjectList(\"alice\", \"dev\")"),
            (
                "/alice/dev/+simple/Demo",
                "ProjectPage(\"alice\", \"dev\", \"Demo\")",
            ),
            (
                "/alice/dev/+simple/demo/refresh",
                "Refresh(\"alice\", \"dev\", \"demo\")",
            ),
            (
                "/alice/dev/%2Bf/abc/def/x-1.0.zip",
                "File(\"alice\", \"dev\", \"+f\", [\"abc\", \"def\", \"x-1.0.zip\"])",
            ),
            ("/alice/dev/demo", "Project(\"alice\", \"dev\", \"demo\")"),
            (
                "/alice/dev/demo/1.0+local",
                "Release(\"alice\", \"dev\", \"demo\", \"1.0+local\")",
            ),
            ("/alice/dev/demo/1.0/more", "nothing"),
            ("/alice/dev/demo/1.0/+doc", "nothing"),
            ("/alice/dev/demo/1.0/+doc/a/../b", "nothing"),
            ("/alice/dev/demo/1.0/+doc/a%2fb", "nothing"),
            ("/alice/dev/demo/1.0/+yank/a/b", "nothing"),
            ("/alice/dev/+f", "nothing"),
            ("/+admin", "nothing"),
            ("/alice%2fdev/+simple/demo/", "nothing"),
            ("/u//i", "nothing"),
        ];
        for (path, expected) in table {
            assert_eq!(found(path), expected, "{path}");
        }
    }

    #[test]
    fn every_line_of_the_table_leads_somewhere() {
        for route in ROUTES {
            let path = route.pattern.replace(['{', '}'], "");
            assert_ne!(found(&path), "nothing", "{}", route.pattern);
        }
        assert!(
            find(&segments("/a").expect("good")).is_some_and(|route| route == Route::User("a"))
        );
    }
}
