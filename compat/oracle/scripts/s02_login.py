"""Sections 2.1 to 2.4: where credentials come from, logging in, tokens."""

from base64 import b64encode

from harness.dists import wheel
from oracle.exchange import Exchange, delete, get, login, patch, people, post, put, upload


def encoded(text):
    return b64encode(text.encode()).decode()


def exchanges(upstream):
    return [
        *people("alice", "bob"), put("/alice/dev", {}, by="alice"),
        put("/silent", {"password": None}, by="root"), put("/empty", {"password": ""}, by="root"),
        *logins(), *sources(), *stale(),
    ]


def logins():
    return [
        login("alice", "alice"), login("alice", "wrong"), login("nobody", "x"), login("silent", ""), login("silent", "x"),
        login("empty", ""), login("ALICE", "alice"),
        post("/+login", {"user": "alice"}), post("/+login", {"password": "x"}), post("/+login", {}),
        post("/+login", {"user": None, "password": "x"}), post("/+login", {"user": "alice", "password": None}),
        Exchange("POST", "/+login", data="{broken"), Exchange("POST", "/+login", data=""),
        Exchange("POST", "/+login", data='{"user": "alice", "password": "alice"}', note="without a content type"),
        Exchange("POST", "/+login", data='{"user": "alice", "password": "alice"}', headers={"content-type": "text/plain"}, note="as text"),
        post("/+login", {"user": "alice", "password": "alice"}, accept="text/html"),
        post("/+login", {"user": "alice", "password": "alice"}, accept=None),
        post("/+login", ["alice", "alice"]), post("/+login", {"user": "alice", "password": 5}),
        post("/+login/", {"user": "alice", "password": "alice"}),
    ]


def sources():
    good, bad = encoded("alice:alice"), encoded("alice:wrong")
    return [
        get("/+api", basic=("alice", "alice")), get("/+api", headers={"x-devpi-auth": good}),
        get("/+api", headers={"x-devpi-auth": bad}, basic=("alice", "alice"), note="X-Devpi-Auth wins, wrong"),
        get("/+api", headers={"x-devpi-auth": good}, basic=("alice", "wrong"), note="X-Devpi-Auth wins, right"),
        get("/+api", headers={"x-devpi-auth": "%%%"}, basic=("alice", "alice"), note="X-Devpi-Auth cannot be read"),
        get("/+api", headers={"x-devpi-auth": encoded("nocolon")}, basic=("alice", "alice")),
        get("/+api", headers={"authorization": f"basic {good}"}), get("/+api", headers={"authorization": f"Digest {good}"}),
        get("/+api", headers={"authorization": "Basic"}), get("/+api", headers={"authorization": "Basic ???"}),
        get("/alice/dev", basic=("alice", "wrong"), note="public reads go on"), get("/", basic=("nobody", "x")),
        get("/alice/dev/+simple/", basic=("alice", "wrong"), accept="application/vnd.pypi.simple.v1+json"),
        get("/+api", by="alice"), Exchange("GET", "/+api", by="alice", note="token as X-Devpi-Auth"),
    ]


def stale():
    dist = wheel("mine", "1.0")
    return [
        upload("alice/dev", dist), upload("alice/dev", dist, basic=("alice", "wrong")), upload("alice/dev", dist, by="bob"),
        upload("alice/dev", dist, by="alice"), upload("alice/dev", dist, basic=("alice", "alice")),
        put("/alice/new", {}), put("/alice/new", {}, basic=("alice", "wrong")), put("/alice/new", {}, by="bob"),
        patch("/alice/dev", {"title": "x"}), patch("/alice/dev", {"title": "x"}, by="bob"),
        patch("/alice/dev", {"title": "x"}, basic=("alice", "wrong")),
        delete("/alice/dev"), delete("/alice/dev", by="bob"), delete("/alice/dev/mine/1.0", by="bob"),
        delete("/alice/dev/mine/1.0"), delete("/alice/dev/mine"), delete("/alice/dev/mine", basic=("alice", "wrong")),
        patch("/bob", {"password": "new"}, by="bob"), get("/+api", by="bob", note="after the password changed"),
        login("bob", "bob"), login("bob", "new"), get("/+api", by="bob"),
        delete("/bob", by="root"), get("/+api", by="bob", note="after the user went"),
        patch("/alice", {"pwhash": "$argon2id$v=19$m=8,t=1,p=1$MDEyMzQ1NjcwMTIzNDU2Nw$bm90LXRoZS1oYXNoLWF0LWFsbA"}, by="alice"),
        login("alice", "alice"),
    ]
