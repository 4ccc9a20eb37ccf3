"""Larder without --devpi-compat: what is closed until somebody opens it."""

from harness.dists import sdist, wheel
from oracle.exchange import SIMPLE_JSON, differing, get, login, page, patch, post, put, upload
from oracle.scripts.s04_overwrites import HREF

COMPAT = False
OLD = ("egg", "exe", "msi", "rpm", "deb", "dmg")


def exchanges(upstream):
    mirror = {"type": "mirror", "mirror_url": upstream.url}
    return [
        *differing(
            "sign-up", (403, "no permission"), put("/alice", {"password": "alice"}),
            put("/bob", {"password": "bob"}),
        ),
        login("alice", "alice", differs="sign-up", larder=401),
        put("/alice", {"password": "alice"}, by="root", differs="sign-up", larder=201),
        put("/bob", {"password": "bob"}, by="root", differs="sign-up", larder=201), login("alice", "alice"),
        login("bob", "bob"),
        put("/carol", {"password": "carol"}, by="alice", differs="sign-up", larder=403),
        *differing("empty-passwords", 400, put("/dave", {"password": ""}, by="root")),
        patch("/bob", {"title": "B"}, by="bob"),
        *differing("empty-passwords", 400, patch("/bob", {"password": ""}, by="bob")),
        login("bob", "bob", differs="empty-passwords", larder=200),
        *differing(
            "tox-closed", (200, '"acl_toxresult_upload": []'), put("/alice/dev", {}, by="alice"), get("/alice/dev"),
            get("/alice"),
        ),
        put("/alice/open", {"acl_toxresult_upload": ":ANONYMOUS:"}, by="alice"),
        *differing("private-upstreams", 400, put("/alice/mirror", mirror, by="alice")),
        put("/root/mirror", mirror, by="root"), page("root/mirror", "far"),
        *differing("status-closed", (200, '"serverdir": null'), get("/+status", looks_at="shape")),
        get("/+status", by="root", looks_at="shape"), *uploads(),
    ]


def uploads():
    return [
        upload("alice/open", wheel("pkg", "1.0"), by="alice"),
        upload("alice/open", sdist("pkg", "1.0"), by="alice"),
        page("alice/open", "pkg"), get("/alice/open/pkg/1.0"),
        *differing(
            "file-types", (400, "is not a valid archive name"),
            *[upload("alice/open", sdist("old", "1.0"), filename=f"old-1.0.{end}", by="alice") for end in OLD],
        ),
        *differing("pep-440", 400, upload("alice/open", sdist("odd", "weird"), by="alice")),
    ]
