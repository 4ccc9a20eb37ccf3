"""Sections 1.3 to 1.6 and 11: what clients learn about the server, and what is not theirs to see."""

from oracle.exchange import Exchange, differing, get, head, people, post, put


def exchanges(upstream):
    return [
        *people("alice", "bob"),
        put("/alice/dev", {}, by="alice"),
        put("/alice/mirror", {"type": "mirror", "mirror_url": upstream.url}, by="alice"),
        *[get(path, **who) for path in ("/+api", "/alice/+api", "/nobody/+api", "/alice/dev/+api", "/alice/mirror/+api")
          for who in ({}, {"by": "alice"}, {"basic": ("alice", "alice")}, {"basic": ("alice", "wrong")},
                      {"basic": ("nobody", "x")}, {"headers": {"x-devpi-auth": "not base64"}},
                      {"headers": {"authorization": "Bearer something"}})],
        get("/alice/nope/+api"), get("/nobody/nope/+api"), head("/+api"),
        get("/+api", accept="text/html, */*;q=0.1"),
        *differing("any-spelling", (200, "pypisubmit"), get("/alice/dev/+api/")),
        *differing("methods", 405, *[Exchange(method, "/+api") for method in ("POST", "PUT", "DELETE", "OPTIONS")]),
        *status(), *changelog(), *methods(),
    ]


def status():
    return [
        get("/+status", looks_at="shape"), get("/+status", by="root", looks_at="shape"),
        get("/+status", accept=None, looks_at="shape"),
        *differing("json-for-all", (200, '"role"'), get("/+status", accept="text/html")),
        *differing("any-spelling", (200, '"role"'), get("/+status/")),
        *differing("trusted-proxies", 403, get("/+authcheck", headers={"x-original-uri": "/"}, looks_at="status")),
    ]


def changelog():
    follower = {"x-devpi-expected-primary-id": "0" * 32, "authorization": "Bearer x"}
    return [get(path, headers=given) for path in ("/+changelog/0", "/+changelog/0-") for given in ({}, follower)]


def methods():
    paths = ("/", "/alice", "/alice/dev", "/+login", "/alice/dev/+simple/")
    return differing(
        "methods", 405, *[Exchange(method, path) for path in paths for method in ("OPTIONS", "TRACE")],
        post("/"), put("/"), post("/alice"), get("/+login"), put("/+login", {}),
    )
