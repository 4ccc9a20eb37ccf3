"""Section 2.5: users are created, read, changed and deleted."""

from oracle.exchange import delete, differing, get, login, patch, people, put


def exchanges(upstream):
    return [*created(), *refused(), *changed(), *deleted()]


def created():
    return [
        *differing(
            "private-emails", 201,
            put("/alice", {"password": "secret", "email": "a@example.org"}, note="anybody may"),
        ),
        put("/alice", {"password": "other"}), put("/alice", {}, note="there already"),
        login("alice", "secret"), login("alice", "wrong"), login("nobody", "x"),
        *differing("private-emails", 200, get("/alice"), get("/alice/"), get("/")),
        get("/alice", by="alice"), get("/", by="root"), get("/nobody"),
        put("/bob", {"password": None}), login("bob", ""), get("/bob"),
        put("/carol", {"password": "c", "title": "T", "description": "D", "custom_data": {"a": [1, 2, None]}}),
        get("/carol", by="root"), put("/\u00e9mile", {"password": "x"}, differs="ascii-names", larder=400),
    ]


def refused():
    return [
        put("/dan", {"email": "b@example.org"}), put("/dan", {"pwhash": "x"}),
        put("/dan", {"password": "x", "foo": 2}),
        put("/dan", {"password": "x", "foo": 2, "baz": 1}, looks_at="status"), put("/a+b", {"password": "x"}),
        *differing("ascii-names", (400, "contains characters that aren't allowed"),
                   put("/a b", {"password": "x"}), put("/a:b", {"password": "x"}), put("/a!b", {"password": "x"})),
        *differing("bad-input", 400, put("/dan", ["password"]), put("/dan", "text"), put("/dan", {"password": 5})),
        *differing("password-only", 400, put("/dan", {"password": "x", "pwhash": "y"})),
        *differing(
            "missing-first", 404,
            *[delete(f"/{name}", by="root", note="only devpi-server has it") for name in ("dan", "\u00e9mile")],
        ),
    ]


def changed():
    return [
        patch("/carol", {"title": "T2"}), patch("/carol", {"title": "T2"}, by="alice"),
        patch("/carol", {"title": "T2"}, by="root"),
        patch("/carol", {"password": "n"}, by="alice"), patch("/carol", {"password": "n"}, by="root"),
        login("carol", "n"),
        patch("/carol", {}, by="carol"), patch("/carol", {"strange": 1}, by="carol"),
        patch("/carol", {"title": ""}, by="carol"), get("/carol"),
        patch("/carol", {"description": None, "custom_data": None}, by="carol"), get("/carol"),
        patch(
            "/carol", {"email": "c@example.org", "username": "x", "indexes": {}, "created": "2000-01-01T00:00:00Z"},
            by="carol",
        ),
        get("/carol", by="carol"), patch("/nobody", {"title": "x"}, by="root"),
        patch("/carol", {"email": ""}, by="carol"),
        *differing(
            "bad-input", 400, patch("/carol", ["title"], by="carol"), patch("/carol", {"password": 5}, by="carol"),
        ),
    ]


def deleted():
    return [
        delete("/carol", by="alice"), delete("/carol"), delete("/root", by="root"), delete("/nobody", by="root"),
        delete("/carol", by="carol"), get("/carol"), *people("dave"), delete("/dave", by="root"),
        get("/", by="root"),
    ]
