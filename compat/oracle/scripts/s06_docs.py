"""Section 6.2: documentation as zip archives."""

import io
import zipfile

from harness.dists import EPOCH, Dist, wheel
from oracle.exchange import delete, differing, get, head, page, people, put, upload


def docs(name, version, text=b"<p>hello</p>", main="index.html"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, body in {main: text, "sub/page.html": b"<p>sub</p>", "style.css": b"a {}"}.items():
            archive.writestr(zipfile.ZipInfo(path, EPOCH), body)
    return Dist(f"{name}-{version}.doc.zip", out.getvalue())


def doc_upload(index, dist, version="1.0", **more):
    fields = {":action": "doc_upload", "name": "My_Pkg", "version": version, **more.pop("fields", {})}
    return upload(index, dist, fields=fields, **more)


def first(rel):
    return lambda reply: next(link["href"] for link in reply.json()["result"]["+links"] if link["rel"] == rel)


def exchanges(upstream):
    return [
        *people("alice", "bob"), put("/alice/dev", {}, by="alice"),
        put("/alice/prod", {"volatile": False}, by="alice"),
        put("/alice/odd", {}, by="alice"), put("/alice/top", {"bases": "alice/dev"}, by="alice"),
        put("/alice/mirror", {"type": "mirror", "mirror_url": upstream.url}, by="alice"),
        upload("alice/dev", wheel("My_Pkg", "1.0"), by="alice"), *stored(), *again(), *refused(), *goes(),
    ]


def stored():
    nameless = docs("My_Pkg", "x", b"no version")
    return [
        doc_upload("alice/dev", docs("My_Pkg", "1.0"), by="alice"),
        get("/alice/dev/my-pkg/1.0", saves={"docs": first("doczip")}),
        page("alice/dev", "my-pkg"), get("/{docs}", accept=None), get("/{docs}"), head("/{docs}", accept=None),
        get("/alice/dev/my-pkg"), get("/alice/top/my-pkg/1.0"), get("/alice/top/my-pkg"),
        doc_upload("alice/dev", docs("Any-Name", "x"), version="2.0", by="alice", note="a version without files"),
        get("/alice/dev/my-pkg/2.0"), get("/alice/dev/my-pkg"), page("alice/dev", "my-pkg"),
        upload("alice/dev", wheel("My_Pkg", "3.0"), by="alice"),
        doc_upload("alice/dev", nameless, without=("version",), by="alice", note="of the newest version"),
        get("/alice/dev/my-pkg/3.0"),
        doc_upload("alice/dev", docs("new", "1.0"), fields={"name": "new"}, by="alice"), get("/alice/dev/new"),
        get("/alice/dev"),
    ]


def again():
    one, other, third = (docs("My_Pkg", "1.0", text) for text in (b"<p>hello</p>", b"other", b"third"))
    return [
        doc_upload("alice/dev", other, by="alice", note="other docs"), get("/alice/dev/my-pkg/1.0"), get("/{docs}"),
        doc_upload("alice/odd", other, by="alice"),
        *differing(
            "identical", (200, "nothing changed"), doc_upload("alice/odd", other, by="alice", note="the same docs"),
        ),
        doc_upload("alice/prod", one, by="alice"),
        *differing("identical", 200, doc_upload("alice/prod", one, by="alice", note="the same docs")),
        doc_upload("alice/prod", third, by="alice"), get("/alice/prod/my-pkg/1.0"),
    ]


def refused():
    one = docs("My_Pkg", "1.0")
    return [
        doc_upload("alice/odd", one, fields={"name": "nope"}, without=("version",), by="alice"),
        doc_upload("alice/dev", one, by="bob"), doc_upload("alice/dev", one),
        doc_upload("alice/mirror", one, by="alice"),
        doc_upload("alice/odd", one, without=("content",), by="alice"),
        *differing(
            "bad-input", (400, "Missing required field"),
            doc_upload("alice/odd", one, without=("name",), by="alice"),
        ),
        *differing(
            "archives", (400, "cannot be used"),
            doc_upload("alice/odd", Dist("odd-1.0.doc.zip", b"not a zip"), by="alice"),
        ),
        *differing(
            "no-version", 400, doc_upload("alice/odd", one, fields={"name": "nope"}, version="", by="alice"),
        ),
    ]


def goes():
    return [
        get("/alice/dev/my-pkg/1.0", saves={"wheel": first("releasefile"), "docs": first("doczip")}),
        delete("/{wheel}", by="alice"), get("/alice/dev/my-pkg/1.0"), page("alice/dev", "my-pkg"),
        delete("/{docs}", by="bob"), delete("/{docs}", by="alice"), get("/alice/dev/my-pkg/1.0"), get("/{docs}"),
        delete("/alice/dev/my-pkg/2.0", by="alice"), get("/alice/dev/my-pkg"),
        delete("/alice/prod/my-pkg/1.0", by="alice"),
        delete("/alice/prod/my-pkg/1.0?force", by="alice"), get("/alice/prod/my-pkg"),
    ]
