"""Section 6.2: documentation as zip archives."""

import io
import zipfile

from harness.dists import EPOCH, Dist, sdist, wheel
from oracle.exchange import delete, get, page, people, push, put, upload


def docs(name, version, text=b"hello", main="index.html"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, body in ((main, b"<html>" + text + b"</html>"), ("sub/page.html", b"<p>sub</p>"), ("style.css", b"a {}")):
            archive.writestr(zipfile.ZipInfo(path, EPOCH), body)
    return Dist(f"{name}-{version}.doc.zip", out.getvalue())


def doc_upload(index, dist, version="1.0", **more):
    fields = {":action": "doc_upload", "name": "My_Pkg", "version": version, **more.pop("fields", {})}
    return upload(index, dist, fields=fields, **more)


def first(rel):
    return lambda reply: next(link["href"] for link in reply.json()["result"]["+links"] if link["rel"] == rel)


def exchanges(upstream):
    return [
        *people("alice", "bob"), put("/alice/dev", {}, by="alice"), put("/alice/prod", {"volatile": False}, by="alice"),
        put("/alice/top", {"bases": "alice/dev"}, by="alice"), put("/alice/mirror", {"type": "mirror", "mirror_url": upstream.url}, by="alice"),
        upload("alice/dev", wheel("My_Pkg", "1.0"), by="alice"),
        *stored(), *refused(), *pushed(), *goes(),
    ]


def stored():
    return [
        doc_upload("alice/dev", docs("My_Pkg", "1.0"), by="alice"), get("/alice/dev/my-pkg/1.0", saves={"docs": first("doczip")}),
        page("alice/dev", "my-pkg"), get("/{docs}", accept=None), get("/{docs}"), get("/alice/dev/my-pkg"), get("/alice/top/my-pkg/1.0"),
        doc_upload("alice/dev", docs("My_Pkg", "1.0", b"other"), by="alice", note="other docs"), get("/alice/dev/my-pkg/1.0"), get("/{docs}"),
        doc_upload("alice/dev", docs("Any-Name", "x"), version="2.0", by="alice", note="a version without files"), get("/alice/dev/my-pkg/2.0"), get("/alice/dev/my-pkg"),
        upload("alice/dev", wheel("My_Pkg", "3.0"), by="alice"), doc_upload("alice/dev", docs("My_Pkg", "x"), version="", by="alice", note="empty version"), get("/alice/dev/my-pkg"),
        doc_upload("alice/dev", docs("new", "1.0"), fields={"name": "new"}, by="alice"), get("/alice/dev/new"), get("/alice/dev"),
    ]


def refused():
    return [
        doc_upload("alice/dev", docs("x", "1"), fields={"name": "nope"}, version="", by="alice"), doc_upload("alice/dev", docs("My_Pkg", "1.0"), by="bob"),
        doc_upload("alice/dev", docs("My_Pkg", "1.0")), doc_upload("alice/mirror", docs("My_Pkg", "1.0"), by="alice"),
        doc_upload("alice/dev", docs("My_Pkg", "1.0"), without=("content",), by="alice"), doc_upload("alice/dev", docs("My_Pkg", "1.0"), without=("name",), by="alice"),
        doc_upload("alice/dev", Dist("My_Pkg-4.0.doc.zip", b"not a zip"), version="4.0", by="alice"), get("/alice/dev/my-pkg/4.0"),
    ]


def pushed():
    one = {"name": "my-pkg", "version": "1.0", "targetindex": "alice/prod"}
    return [
        push("alice/dev", {**one, "no_docs": True}, by="alice"), get("/alice/prod/my-pkg/1.0"), push("alice/dev", {**one, "only_docs": True}, by="alice"),
        get("/alice/prod/my-pkg/1.0"), push("alice/dev", {**one, "only_docs": True}, by="alice", note="again"),
        doc_upload("alice/prod", docs("My_Pkg", "1.0", b"other"), by="alice", note="the same docs"), doc_upload("alice/prod", docs("My_Pkg", "1.0", b"third"), by="alice"),
        push("alice/dev", {**one, "version": "3.0"}, by="alice"), get("/alice/prod/my-pkg/3.0"), push("alice/dev", {**one, "version": "2.0"}, by="alice"),
    ]


def goes():
    return [
        get("/alice/dev/my-pkg/1.0", saves={"wheel": first("releasefile"), "docs": first("doczip")}), delete("/{wheel}", by="alice"), get("/alice/dev/my-pkg/1.0"),
        delete("/{docs}", by="alice"), get("/alice/dev/my-pkg/1.0"), get("/{docs}"), delete("/alice/dev/my-pkg/2.0", by="alice"), get("/alice/dev/my-pkg"),
    ]
