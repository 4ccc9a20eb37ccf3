"""Sections 3.1 to 3.3: indexes are created and changed by objects."""

from oracle.exchange import Exchange, delete, differing, get, patch, people, put


def exchanges(upstream):
    return [
        *people("alice", "bob"), put("/alice/base", {}, by="alice"), put("/bob/base", {}, by="bob"),
        *stages(), *values(), *mirrors(upstream), *changes(), *deletes(),
    ]


def stages():
    return [
        put("/alice/dev", {}, by="alice"), get("/alice/dev"), get("/alice/dev?no_projects="),
        get("/alice/dev?no_projects"),
        put("/alice/dev", {}, by="alice"), put("/alice/dev", {"volatile": "x"}, by="bob"),
        put("/alice/base/", {}, by="alice"),
        put(
            "/alice/a1", {"type": "stage", "volatile": False, "bases": ["alice/base", "/bob/base/"], "title": "T"},
            by="alice",
        ),
        put(
            "/alice/a2", {"bases": "alice/base,bob/base", "volatile": "no", "acl_upload": "alice,:authenticated:"},
            by="alice",
        ),
        put(
            "/alice/a3",
            {"mirror_whitelist": "Foo_Bar,b.c", "mirror_whitelist_inheritance": "UNION", "description": "D"},
            by="alice",
        ),
        put(
            "/alice/a4",
            {"mirror_whitelist": ["*"], "custom_data": {"x": [1, None]}, "acl_toxresult_upload": "bob"}, by="alice",
        ),
        put("/alice/a5", {"projects": ["x"], "pypi_whitelist": ["y"]}, by="alice"),
        put("/alice/a6", {"acl_upload": []}, by="alice"),
        put("/alice/a7", {"bases": ""}, by="alice"), get("/alice"), get("/alice/a3"),
        *differing(
            "bases-once", (200, '"bases"'), put("/alice/a8", {"bases": ["alice/base", "alice/base"]}, by="alice"),
            get("/alice/a8"),
        ),
        delete("/alice/a8", by="alice"),
    ]


def made(name, configs):
    return [put(f"/alice/{name}{number}", config, by="alice") for number, config in enumerate(configs)]


def values():
    wrong = (
        {"type": "foo"}, {"volatile": "maybe"}, {"volatile": 1}, {"volatile": None}, {"bases": "alice/nope"},
        {"bases": ["alice/nope", "no/such"]}, {"bases": "alice"}, {"bases": ["a/b/c"]},
        {"bases": 5},
        {"acl_upload": 5}, {"acl_upload": None}, {"mirror_whitelist": 5}, {"mirror_whitelist_inheritance": "both"},
        {"foo": "bar", "baz": [1]}, {"mirror_url": "http://example.org/"}, {"acl_toxresult_upload": 5},
    )
    return [
        *made("w", wrong), put("/alice/a+b", {}, by="alice"), put("/alice/-a.b_c@d", {}, by="alice"),
        get("/alice?x=1"),
        *differing("own-words", (400, "Unknown list value"), *made("l", [{"mirror_whitelist": {"a": 1}}])),
        *differing("own-words", (400, "invalid base index spec: 'alice'"), *made("o", [{"bases": "alice,no/such"}])),
        *differing(
            "bad-input", 400, *made("b", [{"mirror_whitelist_inheritance": 5}, {"title": None}, ["a"], "a"]),
        ),
        *differing(
            "json-says-so", 415, Exchange("PUT", "/alice/w", data="{", by="alice"),
            Exchange("PUT", "/alice/w", data="", by="alice"),
        ),
        Exchange("PUT", "/alice/w", data="{", by="alice", headers={"content-type": "application/json"}),
        *differing(
            "ascii-names", (400, "contains characters that aren't allowed"), put("/alice/a b", {}, by="alice"),
            put("/alice/a:b", {}, by="alice"),
        ),
    ]


def mirrors(upstream):
    url = {"type": "mirror", "mirror_url": "http://127.0.0.1:9/simple/"}
    wrong = (
        {"mirror_url": "ftp://x/"}, {"mirror_url": "simple"}, {"mirror_cache_expiry": "x"},
        {"acl_toxresult_upload": []},
        {"foo": 1}, {"volatile": "x"}, {"mirror_use_external_urls": "x"}, {"mirror_no_project_list": 1},
        {"mirror_cache_expiry": "60"},
        {"mirror_ignore_serial_header": "maybe"}, {"mirror_provides_core_metadata": "maybe"},
        {"mirror_cache_expiry": None},
    )
    whole = {
        "mirror_url": upstream.url, "mirror_cache_expiry": 60, "mirror_web_url_fmt": "http://example.org/{name}",
        "mirror_use_external_urls": False, "mirror_no_project_list": "yes", "mirror_provides_core_metadata": False,
        "mirror_ignore_serial_header": "True", "title": "T", "description": "D", "custom_data": 5, "bases": "x/y",
        "acl_upload": "x", "mirror_whitelist": "x", "pypi_whitelist": "x",
    }
    return [
        put("/alice/m1", {"type": "mirror", "mirror_url": upstream.url}, by="alice"), get("/alice/m1?no_projects="),
        put("/alice/m2", {"type": "mirror", **whole}, by="alice"), get("/alice/m2?no_projects="),
        *made("mw", [{**url, **config} for config in wrong]), put("/alice/m3", {"type": "mirror"}, by="alice"),
        *differing("bad-input", 400, *made("mb", [{**url, "mirror_url": 5}])),
        *differing("whole-seconds", 400, *made("ms", [{**url, "mirror_cache_expiry": 1.5}])),
        delete("/alice/ms0", by="alice", differs="missing-first", larder=404),
    ]


def changes():
    return [
        patch("/alice/dev", {"title": "T"}, by="alice"), patch("/alice/dev", {"volatile": "False"}, by="alice"),
        patch("/alice/dev", {"volatile": True}, by="alice"),
        patch("/alice/dev", {"bases": ["alice/base"]}, by="alice"),
        patch("/alice/dev", {"bases": "no/such"}, by="alice"), patch("/alice/dev", {"type": "stage"}, by="alice"),
        patch("/alice/dev", {"type": "mirror"}, by="alice"), patch("/alice/dev", {"foo": 1}, by="alice"),
        patch("/alice/dev", {"acl_upload": ":anonymous:"}, by="alice"),
        patch("/alice/dev", {"acl_upload": [":Authenticated:", "bob"]}, by="alice"),
        patch("/alice/dev", {"mirror_whitelist": ["Foo_Bar", "*"]}, by="alice"),
        patch("/alice/dev", {"volatile": None}, by="alice"),
        patch("/alice/dev", {"mirror_whitelist_inheritance": "Union"}, by="alice"),
        patch("/alice/dev", {}, by="alice"),
        patch("/alice/dev", {"type": "indexconfig", "result": {"title": "wrapped"}}, by="alice"),
        patch("/alice/dev", {"projects": ["x"]}, by="alice"), patch("/alice/dev", {"bases": []}, by="alice"),
        *differing("no-self-base", 400, patch("/alice/dev", {"bases": ["alice/dev"]}, by="alice")),
        patch("/alice/dev", {"bases": []}, by="alice"),
        *differing(
            "bad-input", 400, patch("/alice/dev", {"title": None}, by="alice"),
            patch("/alice/dev", "text", by="alice"), patch("/alice/dev", 5, by="alice"),
        ),
        *differing("json-says-so", 415, Exchange("PATCH", "/alice/dev", data="{", by="alice"),
                   patch("/alice/dev", {"title": "wrapped"}, by="alice", headers={"content-type": "text/plain"})),
        Exchange("PATCH", "/alice/dev", data="{", by="alice", headers={"content-type": "application/json"}),
        get("/alice/dev"),
        patch("/alice/m1", {"mirror_cache_expiry": 5}, by="alice"),
        patch("/alice/m1", {"bases": "no/such"}, by="alice"),
        patch("/alice/m1", {"acl_upload": "x"}, by="alice"),
        patch("/alice/m1", {"acl_toxresult_upload": "x"}, by="alice"),
        patch("/alice/m1", {"type": "stage"}, by="alice"),
        patch("/alice/m1", {"mirror_url": "nonsense"}, by="alice"),
        patch("/alice/dev/", {"title": "slash"}, by="alice"),
        *differing("noop", (400, "no changes"), patch("/alice/dev?error_on_noop=", {"title": "slash"}, by="alice")),
    ]


def deletes():
    return [
        put("/alice/last", {"bases": "alice/base"}, by="alice"), delete("/alice/base", by="alice"),
        get("/alice/last"),
        patch("/alice/last", {"title": "still"}, by="alice", note="a base is gone"),
        get("/alice/last/+simple/", accept="application/vnd.pypi.simple.v1+json"),
        delete("/alice/a1", by="alice"), delete("/alice/a1?force", by="alice"), delete("/alice/a1", by="root"),
        patch("/alice/a1", {"volatile": True}, by="alice"), delete("/alice/a1", by="root"), get("/alice/a1"),
        delete("/alice", by="alice", note="a2 is not volatile"),
        patch("/alice/a2", ["volatile=True", "bases="], by="alice"),
        delete("/alice/m1", by="alice"), delete("/alice", by="alice"), get("/alice"), get("/alice/a2"), get("/"),
    ]
