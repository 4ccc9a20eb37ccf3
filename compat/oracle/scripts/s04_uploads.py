"""Sections 4.1 to 4.3: what is accepted, what is refused, what is kept of the form."""

from harness.dists import Dist, sdist, wheel
from oracle.exchange import Exchange, delete, form, get, page, people, put, upload

LISTS = ("platform", "classifiers", "supported_platform", "provides", "requires", "obsoletes", "project_urls",
         "provides_dist", "obsoletes_dist", "requires_dist", "requires_external", "provides_extras", "dynamic", "license_file")


def exchanges(upstream):
    return [
        *people("alice", "bob"), put("/alice/dev", {}, by="alice"), put("/alice/final", {"volatile": False}, by="alice"),
        put("/alice/mirror", {"type": "mirror", "mirror_url": upstream.url}, by="alice"),
        *actions(), *refused(), *names(), *metadata(), *registered(),
    ]


def actions():
    dist = wheel("first", "1.0")
    return [
        upload("alice/dev", dist, by="alice"), get("/alice/dev/first/1.0"), get("/alice/dev"), page("alice/dev", "first"),
        upload("alice/dev", dist, by="alice", fields={":action": "verify"}), upload("alice/dev", dist, by="alice", fields={":action": ""}),
        upload("alice/dev", dist, by="alice", without=(":action",)),
        upload("alice/dev", dist, by="alice", without=("content",)),
        upload("alice/mirror", dist, by="alice"), upload("alice/nope", dist, by="alice"), upload("alice/dev", dist), upload("alice/dev", dist, by="bob"),
        upload("alice/dev", dist, by="bob", accept="application/json"), upload("alice/nope", dist, by="alice", accept="application/json"),
        Exchange("POST", "/alice/dev", data="{broken", by="alice"), Exchange("POST", "/alice/dev", by="alice"),
        Exchange("POST", "/alice/dev", data=[(":action", "file_upload"), ("name", "slash"), ("version", "1.0")],
                 files={"content": ("slash-1.0.tar.gz", sdist("slash", "1.0").content)}, by="alice", with_reason=True, note="no final slash"),
    ]


def refused():
    good = sdist("pkg", "1.0")
    named = (
        "pkg-2.0.tar.gz", "pkg-1.0.txt", "other-1.0.tar.gz", "pkg-1.0.tar.xz", "pkg-1.0.tar", "pkg-1.0.asc", "pkg-1.0.ZIP",
        "pkg-1.0.tar.bz2", "pkg-1.0.tgz", "pkg-1.0.egg", "pkg-1.0.exe", "pkg-1.0.msi", "pkg-1.0.deb", "pkg-1.0.rpm", "pkg-1.0.dmg",
        "PKG-1.0.tar.gz", "pkg-extra-1.0.tar.gz", "pkgfoo-1.0.tar.gz", "../pkg-1.0.tar.gz", "a/pkg-1.0.tar.gz", "pkg-1.0.whl",
        "pkg-1.0-py3-none-any.whl", "pkg 1.0.tar.gz", "1.0.tar.gz", "pkg-1.0.post1.tar.gz", "pkg-11.0.tar.gz",
    )
    fields = (
        {"name": ""}, {"version": ""}, {"name": "-pkg"}, {"name": "pkg-"}, {"name": "pk g"}, {"name": "pkg#"}, {"name": "p\u00e9"},
        {"version": "2.0"}, {"version": "1.0<"}, {"metadata_version": "9.9"}, {"sha256_digest": "0" * 64}, {"md5_digest": "0" * 32},
        {"requires_python": "nonsense"}, {"filetype": "bdist_wheel"}, {"protocol_version": "2"},
    )
    return [
        *[upload("alice/dev", good, filename=name, by="alice", note=name) for name in named],
        *[upload("alice/dev", good, fields=given, by="alice", note=str(given)) for given in fields],
        upload("alice/dev", good, without=("name",), by="alice"), upload("alice/dev", good, without=("version",), by="alice"),
        upload("alice/dev", good, content=b"", by="alice", note="empty file"), upload("alice/dev", good, content=b"not an archive", by="alice"),
        page("alice/dev", "pkg"), get("/alice/dev/pkg"),
    ]


def names():
    return [
        upload("alice/dev", wheel("Some_Name", "1.0"), by="alice"), get("/alice/dev/some-name/1.0"), page("alice/dev", "some-name"),
        upload("alice/dev", sdist("Some.Name", "1.1"), by="alice"), get("/alice/dev/some-name"), get("/alice/dev/Some.Name/1.1"),
        upload("alice/dev", sdist("vers", "1.0.0"), by="alice"), upload("alice/dev", sdist("vers", "1.0"), by="alice"),
        upload("alice/dev", sdist("vers", "1.0rc1"), by="alice"),
        upload("alice/dev", Dist("vers-1.0_rc.2.tar.gz", sdist("vers", "1.0-rc.2").content), fields={"name": "vers", "version": "1.0-rc.2"}, by="alice"),
        upload("alice/dev", Dist("vers-1.0+local.1.tar.gz", sdist("vers", "1.0+local.1").content), by="alice"),
        upload("alice/dev", sdist("vers", "2024.1"), by="alice"), upload("alice/dev", sdist("vers", "v3"), by="alice"),
        upload("alice/dev", sdist("vers", "not-a-version"), fields={"name": "vers", "version": "not-a-version"}, by="alice"),
        get("/alice/dev/vers"), page("alice/dev", "vers"), get("/alice/dev/vers/1.0"), get("/alice/dev/vers/1.0.0"),
    ]


def metadata():
    whole = {
        "summary": "Sum", "home_page": "http://h", "author": "A", "author_email": "a@x", "maintainer": "M", "maintainer_email": "m@x",
        "license": "MIT", "description": "Long\ntext with \u00e9", "keywords": "a, b", "download_url": "http://d", "comment": "C",
        "description_content_type": "text/markdown", "license_expression": "MIT", "requires_python": ">=3.8", "metadata_version": "2.4",
    }
    return [
        upload("alice/dev", sdist("full", "1.0"), fields={**whole, **{key: ["x", "y"] for key in LISTS}}, by="alice"),
        get("/alice/dev/full/1.0"), page("alice/dev", "full"),
        upload("alice/dev", sdist("full", "1.1"), fields={"summary": "UNKNOWN", "license": "UNKNOWN", "classifiers": ["", "a"], "foo": "x"}, by="alice"),
        get("/alice/dev/full/1.1"),
        upload("alice/dev", sdist("full", "1.2"), fields={"provides_extra": ["e"], "license_files": ["l"]}, by="alice"), get("/alice/dev/full/1.2"),
        upload("alice/dev", wheel("full", "1.0"), fields={"summary": "second", "requires_python": ">=3.9"}, by="alice"), get("/alice/dev/full/1.0"),
        page("alice/dev", "full"), get("/alice/dev/+simple/full/", accept="text/html", headers={"user-agent": "pip/26"}),
    ]


def registered():
    submit = {":action": "submit", "name": "Regist.Ered", "version": "0.1", "summary": "S", "metadata_version": "1.0"}
    return [
        form("alice/dev", submit, by="alice"), get("/alice/dev/regist-ered"), get("/alice/dev/regist-ered/0.1"), page("alice/dev", "regist-ered"),
        get("/alice/dev"), form("alice/dev", {**submit, "version": "0.2", "author": "A"}, by="alice"), get("/alice/dev/regist-ered"),
        form("alice/dev", {**submit, "summary": "again"}, by="alice"), get("/alice/dev/regist-ered/0.1"),
        form("alice/dev", {":action": "submit", "name": "first", "version": "1.0", "summary": "replaced"}, by="alice"), get("/alice/dev/first/1.0"),
        form("alice/dev", {":action": "submit", "version": "1"}, by="alice"), form("alice/dev", {":action": "submit", "name": "x"}, by="alice"),
        form("alice/dev", {":action": "submit", "name": "_x", "version": "1"}, by="alice"), form("alice/dev", submit, by="bob"), form("alice/dev", submit),
        form("alice/dev", {":action": "foo"}, by="alice"), form("alice/dev", {"name": "x"}, by="alice"), form("alice/dev", {":action": "file_upload", "name": "x", "version": "1"}, by="alice"),
        form("alice/final", submit, by="alice"), form("alice/final", {**submit, "summary": "changed"}, by="alice"), get("/alice/final/regist-ered/0.1"),
        delete("/alice/dev/regist-ered/0.1", by="alice"), get("/alice/dev/regist-ered"), delete("/alice/dev/regist-ered", by="alice"),
        get("/alice/dev/regist-ered"),
    ]
