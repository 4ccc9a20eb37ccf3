"""Sections 2.1 to 2.4: where credentials come from, logging in, tokens."""

from base64 import b64encode

from harness.dists import wheel
from oracle.exchange import Exchange, delete, differing, get, login, patch, people, post, put, upload

HASH = "$argon2id$v=19$m=8,t=1,p=1$MDEyMzQ1NjcwMTIzNDU2Nw$bm90LXRoZS1oYXNoLWF0LWFsbA"


def encoded(text):
    return b64encode(text.encode()).decode()


def exchanges(upstream):
    return [
        *people("alice", "bob"), put("/alice/dev", {}, by="alice"),
        put("/silent", {"password": None}, by="root"), put("/empty", {"password": ""}, by="root"),
        *logins(), *sources(), *stale(), *guesses(),
    ]


def logins():
    return [
        login("alice", "alice"), login("alice", "wrong"), login("nobody", "x"), login("silent", ""),
        login("silent", "x"),
        login("empty", ""), login("ALICE", "alice"),
        post("/+login", {"user": "alice"}), post("/+login", {"password": "x"}), post("/+login", {}),
        post("/+login", {"user": None, "password": "x"}), post("/+login", {"user": "alice", "password": None}),
        Exchange("POST", "/+login", data="{broken", headers={"content-type": "application/json"}),
        post("/+login", {"user": "alice", "password": "alice"}, accept=None),
        *differing(
            "json-says-so", 415, Exchange("POST", "/+login", data="{broken"), Exchange("POST", "/+login", data=""),
            Exchange(
                "POST", "/+login", data='{"user": "alice", "password": "alice"}', note="without a content type",
            ),
            Exchange(
                "POST", "/+login", data='{"user": "alice", "password": "alice"}',
                headers={"content-type": "text/plain"}, note="as text",
            ),
        ),
        post("/+login", {"user": "alice", "password": "alice"}, accept="text/html"),
        *differing("any-spelling", (200, "proxyauth"), post("/+login/", {"user": "alice", "password": "alice"})),
        *differing(
            "bad-input", 400, post("/+login", ["alice", "alice"]),
            post("/+login", {"user": "alice", "password": 5}),
        ),
    ]


def sources():
    good, bad = encoded("alice:alice"), encoded("alice:wrong")
    return [
        get("/+api", basic=("alice", "alice")), get("/+api", headers={"x-devpi-auth": good}),
        get("/+api", headers={"x-devpi-auth": bad}, basic=("alice", "alice"), note="X-Devpi-Auth wins, wrong"),
        get("/+api", headers={"x-devpi-auth": good}, basic=("alice", "wrong"), note="X-Devpi-Auth wins, right"),
        get("/+api", headers={"x-devpi-auth": "%%%"}, basic=("alice", "alice"), note="X-Devpi-Auth cannot be read"),
        get("/+api", headers={"x-devpi-auth": encoded("nocolon")}, basic=("alice", "alice")),
        get("/+api", headers={"authorization": f"basic {good}"}),
        get("/+api", headers={"authorization": f"Digest {good}"}),
        get("/+api", headers={"authorization": "Basic"}), get("/+api", headers={"authorization": "Basic ???"}),
        get("/alice/dev", basic=("alice", "wrong"), note="public reads go on"), get("/", basic=("nobody", "x")),
        get("/alice/dev/+simple/", basic=("alice", "wrong"), accept="application/vnd.pypi.simple.v1+json"),
        get("/+api", by="alice"), Exchange("GET", "/+api", by="alice", note="token as X-Devpi-Auth"),
    ]


def stale():
    dist, wrong = wheel("mine", "1.0"), {"basic": ("alice", "wrong")}
    return [
        upload("alice/dev", dist), upload("alice/dev", dist, **wrong), upload("alice/dev", dist, by="bob"),
        upload("alice/dev", dist, by="alice"), upload("alice/dev", wheel("mine", "2.0"), basic=("alice", "alice")),
        put("/alice/new", {}), put("/alice/new", {}, by="bob"), patch("/alice/dev", {"title": "x"}),
        patch("/alice/dev", {"title": "x"}, by="bob"),
        *differing(
            "stale-credentials", (401, "log in again"), put("/alice/new", {}, **wrong),
            delete("/alice/dev/mine", **wrong),
            patch("/alice/dev", {"title": "x"}, **wrong), patch("/alice", {"title": "x"}, **wrong),
        ),
        delete("/alice/dev"), delete("/alice/dev", by="bob"), delete("/alice/dev/mine/1.0", by="bob"),
        delete("/alice/dev/mine/1.0"), delete("/alice/dev/mine"),
        patch("/bob", {"password": "new"}, by="bob"),
        *differing("tokens-end", (200, "noauth"), get("/+api", by="bob", note="after the password changed")),
        login("bob", "bob"), login("bob", "new"), get("/+api", by="bob"),
        delete("/bob", by="root"), get("/+api", by="bob", note="after the user went"),
        put("/bob", {"password": "new"}, by="root"),
        get("/+api", by="bob", note="after the user came back", differs="tokens-end", larder=(200, "noauth")),
        *differing("password-only", 400, patch("/alice", {"pwhash": HASH}, by="alice")),
        login("alice", "alice", differs="password-only", larder=200),
    ]


def guesses():
    """Somebody tries passwords; carol goes on with the token that she has."""
    late = [login("carol", password) for password in ("guess 11", "carol")]
    return [
        *people("carol"), *[login("carol", f"guess {number}") for number in range(1, 11)],
        *differing("guesses", (429, "too many wrong passwords"), *late),
        get("/+api", by="carol"), get("/carol", by="carol"),
    ]
