"""Section 6.2 with devpi-web: documentation is read page by page."""

from harness.dists import wheel
from oracle.exchange import delete, get, head, people, put, upload
from oracle.scripts.s06_docs import doc_upload, docs

WITH_WEB = True
HTML = "text/html"


def exchanges(upstream):
    return [
        *people("alice"), put("/alice/dev", {}, by="alice"), put("/alice/top", {"bases": "alice/dev"}, by="alice"),
        upload("alice/dev", wheel("My_Pkg", "1.0"), by="alice"), *missing(), *served(), *versions(), *gone(),
    ]


def doc(version, path, index="dev", **more):
    return get(f"/alice/{index}/my-pkg/{version}/+doc/{path}", accept=HTML, **more)


def missing():
    return [doc("1.0", "index.html"), doc("latest", "index.html"), doc("stable", "index.html"), doc("9.9",
        "index.html")]


def served():
    return [
        doc_upload("alice/dev", docs("My_Pkg", "1.0"), by="alice"),
        *[doc("1.0", path, compares=("content-length",)) for path in ("index.html", "sub/page.html", "style.css")],
        doc("1.0", "nope.html"), doc("1.0", "sub/", differs="missing-first", larder=404), doc("1.0", "sub"),
        doc("1.0", ""), doc("1.0", "index.html?x=1"),
        get("/alice/dev/my-pkg/1.0/+doc", accept=HTML), doc("1.0", "index.html", index="top"),
        get("/alice/dev/My_Pkg/1.0/+doc/index.html", accept=HTML, differs="any-spelling", larder=(200, "hello")),
        head("/alice/dev/my-pkg/1.0/+doc/index.html", accept=HTML),
        get("/alice/dev/my-pkg/1.0/+doc/index.html"), get("/alice/dev/my-pkg/1.0/%2Bdoc/index.html", accept=HTML),
        doc("1.0", "../index.html"), doc("1.0", "%2e%2e/index.html"),
        doc("1.0", "index.html", headers={"if-none-match": '"x"'}),
    ]


def versions():
    return [
        doc_upload("alice/dev", docs("My_Pkg", "2.0rc1", b"candidate"), version="2.0rc1", by="alice"),
        doc_upload("alice/dev", docs("My_Pkg", "3.0", main="other.html"), version="3.0", by="alice"),
        doc("latest", "index.html"), doc("stable", "index.html"), doc("latest", ""), doc("2.0rc1", "index.html"),
        doc("3.0", "other.html"), doc("3.0", "index.html"), doc("3.0", ""),
    ]


def gone():
    return [
        doc_upload("alice/dev", docs("My_Pkg", "1.0", b"again"), by="alice"), doc("1.0", "index.html"),
        doc("stable", "index.html"),
        delete("/alice/dev/my-pkg/1.0", by="alice"), doc("1.0", "index.html"), doc("stable", "index.html"),
    ]
