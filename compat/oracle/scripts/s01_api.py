"""Sections 1.3 to 1.6 and 11: what clients learn about the server, and what is not theirs to see."""

from oracle.exchange import Exchange, get, login, people, post, put

UUID = ("x-devpi-role",)


def exchanges(upstream):
    return [
        *people("alice", "bob"),
        put("/alice/dev", {}, by="alice"),
        put("/alice/mirror", {"type": "mirror", "mirror_url": upstream.url}, by="alice"),
        *[get(path, **who) for path in ("/+api", "/alice/+api", "/nobody/+api", "/alice/dev/+api", "/alice/mirror/+api")
          for who in ({}, {"by": "alice"}, {"basic": ("alice", "alice")}, {"basic": ("alice", "wrong")},
                      {"basic": ("nobody", "x")}, {"headers": {"x-devpi-auth": "not base64"}},
                      {"headers": {"authorization": "Bearer something"}})],
        get("/alice/nope/+api"), get("/nobody/nope/+api"), get("/alice/dev/+api/"),
        *[Exchange(method, "/+api") for method in ("HEAD", "POST", "PUT", "DELETE", "OPTIONS")],
        get("/+api", accept="text/html"), get("/+api", accept="text/html, */*;q=0.1"),
        *status(), *authcheck(), *changelog(), *methods(),
    ]


def status():
    return [get("/+status"), get("/+status", by="root"), get("/+status", accept="text/html"), get("/+status/"),
            get("/+status", accept=None)]


def authcheck():
    originals = (
        "/", "/alice", "/alice/dev", "/alice/dev/+simple/", "/alice/dev/+simple/pkg/", "/+api", "/alice/dev/+api",
        "/+login", "/alice/dev/pkg", "/alice/dev/pkg/1.0", "/alice/dev/+f/abc/0123456789abc/x-1.0.zip",
        "/alice/nope", "/nobody/nope/+simple/", "http://example.org/alice/dev", "/alice/dev/a/b/c/d", "/+nothing",
        "/alice/dev/%2Bsimple/pkg/", "/alice/dev/+simple/pkg/?x=1",
    )
    return [
        *[get("/+authcheck", headers={"x-original-uri": original}, note=original) for original in originals],
        get("/+authcheck"), get("/+authcheck", headers={"x-original-uri": "/alice/dev"}, by="alice"),
        get("/+authcheck", headers={"x-original-uri": "/alice/dev"}, basic=("alice", "wrong")),
        Exchange("HEAD", "/+authcheck", headers={"x-original-uri": "/alice/dev"}),
    ]


def changelog():
    follower = {"x-devpi-expected-primary-id": "0" * 32, "authorization": "Bearer x"}
    return [get(path, headers=given) for path in ("/+changelog/0", "/+changelog/0-") for given in ({}, follower)]


def methods():
    return [Exchange(method, path) for path in ("/", "/alice", "/alice/dev", "/+login", "/alice/dev/+simple/")
            for method in ("OPTIONS", "TRACE")] + [post("/"), put("/"), post("/alice"), get("/+login"), put("/+login", {})]
