"""Sections 4.1 to 4.3: what is accepted, what is refused, what is kept of the form."""

from dataclasses import replace

from harness.dists import Dist, sdist, wheel
from oracle.exchange import delete, differing, form, get, page, people, put, upload

VERSIONS = ("1.0", "1.0rc1", "2024.1", "v3", "1!2.0", "1.0.post1")
LISTS = (
    "platform", "classifiers", "supported_platform", "provides", "requires", "obsoletes", "project_urls",
    "provides_dist", "obsoletes_dist", "requires_dist", "requires_external", "provides_extras", "dynamic",
    "license_file",
)


def exchanges(upstream):
    return [
        *people("alice", "bob"), put("/alice/dev", {}, by="alice"),
        put("/alice/final", {"volatile": False}, by="alice"),
        put("/alice/odd", {}, by="alice"),
        put("/alice/mirror", {"type": "mirror", "mirror_url": upstream.url}, by="alice"),
        *actions(), *file_names(), *fields(), *names(), *versions(), *metadata(), *registered(),
    ]


def actions():
    dist = wheel("first", "1.0")
    return [
        upload("alice/dev", dist, by="alice"), get("/alice/dev/first/1.0"), get("/alice/dev"),
        page("alice/dev", "first"),
        upload("alice/dev", dist, by="alice", fields={":action": "verify"}),
        upload("alice/dev", dist, by="alice", without=("content",)),
        *differing(
            "own-words", (400, "the form has no ':action'"),
            upload("alice/dev", dist, by="alice", fields={":action": ""}),
            upload("alice/dev", dist, by="alice", without=(":action",)),
        ),
        upload("alice/mirror", dist, by="alice"), upload("alice/nope", dist, by="alice"), upload("alice/dev", dist),
        upload("alice/dev", dist, by="bob"),
        upload("alice/dev", dist, by="bob", accept="application/json"),
        upload("alice/nope", dist, by="alice", accept="application/json"),
        replace(upload("alice/dev", sdist("slash", "1.0"), by="alice"), path="/alice/dev"),
    ]


def odd(dist, *names):
    return [upload("alice/odd", dist, filename=name, by="alice", note=name) for name in names]


def file_names():
    good = sdist("pkg", "1.0")
    return [
        *odd(good, "pkg-2.0.tar.gz", "other-1.0.tar.gz", "1.0.tar.gz", "pkg-1.0.tgz", "pkg-1.0.tar.gz"),
        *odd(good, *[f"pkg-1.0.{end}" for end in ("txt", "tar.xz", "asc", "egg", "exe", "msi", "deb", "rpm", "dmg")]),
        *differing("archives", (400, "is not a good"), *odd(good, "pkg-1.0.tar.bz2", "pkg-1.0-py3-none-any.whl")),
        *differing("archives", (400, "is not a valid wheel name"), *odd(good, "pkg-1.0.whl")),
        *differing(
            "archives", (400, "does not match project name"),
            *odd(good, "pkg-extra-1.0.tar.gz", "pkgfoo-1.0.tar.gz", "pkg 1.0.tar.gz"),
        ),
        *differing(
            "own-words", (400, "is not a valid archive name"), *odd(good, "../pkg-1.0.tar.gz", "a/pkg-1.0.tar.gz"),
        ),
        *differing("own-words", (400, "pkg-1.0.tar'"), *odd(good, "pkg-1.0.tar")),
        *differing(
            "archives", 400, upload("alice/odd", good, content=b"", by="alice", note="empty"),
            upload("alice/odd", good, content=b"not an archive", by="alice"),
        ),
    ]


def fields():
    good = sdist("pkg", "1.0")

    def sent(*fields):
        return [upload("alice/odd", good, fields=given, by="alice", note=str(given)) for given in fields]

    return [
        *sent({"name": ""}, {"version": ""}, {"version": "2.0"}),
        *differing(
            "own-words", (400, "invalid metadata: "), *sent({"version": "1.0<"}),
            *sent(*[{"name": name} for name in ("-pkg", "pkg-", "pk g", "pkg#", "p\u00e9")]),
        ),
        *differing(
            "digests", (400, "does not match"),
            *sent({"sha256_digest": "0" * 64}, {"md5_digest": "0" * 32}, {"blake2_256_digest": "0" * 64}),
        ),
        *differing(
            "bad-input", 400, *sent({"protocol_version": "2"}),
            *[upload("alice/odd", good, without=(field,), by="alice") for field in ("name", "version")],
        ),
        *differing(
            "identical", (200, "nothing changed"),
            *sent({"requires_python": "nonsense"}, {"filetype": "bdist_wheel"}),
        ),
    ]


def names():
    return [
        upload("alice/dev", wheel("Some_Name", "1.0"), by="alice"), get("/alice/dev/some-name/1.0"),
        page("alice/dev", "some-name"),
        upload("alice/dev", sdist("Some.Name", "1.1"), by="alice"), get("/alice/dev/some-name"),
    ]


def versions():
    named = {"name": "odd", "version": "first-try"}
    dashed = upload("alice/odd", sdist("odd", "first-try"), fields=named, by="alice")
    local = Dist("vers-1.0+local.1.tar.gz", sdist("vers", "1.0+local.1").content)
    return [
        *[upload("alice/dev", sdist("vers", version), by="alice") for version in VERSIONS],
        upload("alice/dev", local, by="alice"), get("/alice/dev/vers"), page("alice/dev", "vers"),
        get("/alice/dev/vers/1.0"), get("/alice/dev/vers/v3"),
        upload("alice/odd", sdist("old", "1.0.0"), by="alice"),
        upload("alice/odd", wheel("old", "1.0"), by="alice"),
        *differing(
            "one-release", 200, get("/alice/odd/old"), get("/alice/odd/old/1.0"), get("/alice/odd/old/1.0.0"),
        ),
        page("alice/odd", "old"),
        upload("alice/odd", sdist("odd", "weird"), by="alice"), get("/alice/odd/odd/weird"),
        *differing("dashes", (400, "does not match project name"), dashed),
    ]


def metadata():
    written = {"summary": "Sum", "requires_dist": ["a", "b>1"], "classifiers": ["x"], "requires_python": ">=3.9"}
    return [
        upload("alice/dev", sdist("full", "1.0"), by="alice"),
        upload("alice/dev", wheel("full", "1.0", requires=["one", "two>=2; python_version>'3'"]), by="alice"),
        get("/alice/dev/full/1.0"), page("alice/dev", "full"),
        get("/alice/dev/+simple/full/", accept="text/html", headers={"user-agent": "pip/26"}),
        upload("alice/odd", sdist("full", "1.1"), fields=written, by="alice"),
        *differing(
            "inside-counts", (200, "A test distribution"), get("/alice/odd/full/1.1"), get("/alice/odd/full"),
        ),
        *differing("inside-counts", (200, ">=3.8"), page("alice/odd", "full")),
    ]


def registered():
    submit = {":action": "submit", "name": "Listed.Only", "version": "0.1", "summary": "S", "metadata_version": "1.0"}
    whole = {
        "home_page": "http://h", "author": "A", "author_email": "a@x", "maintainer": "M", "maintainer_email": "m@x",
        "license": "MIT", "description": "Long\ntext with \u00e9", "keywords": "a, b",
        "download_url": "http://d", "comment": "C",
        "description_content_type": "text/markdown", "license_expression": "MIT", "requires_python": ">=3.8",
        "metadata_version": "2.4",
        **{key: ["x", "", "y"] for key in LISTS},
    }
    return [
        form("alice/dev", submit, by="alice"), get("/alice/dev/listed-only"), get("/alice/dev/listed-only/0.1"),
        page("alice/dev", "listed-only"),
        get("/alice/dev"), form("alice/dev", {**submit, "version": "0.2", "author": "A"}, by="alice"),
        get("/alice/dev/listed-only"),
        form("alice/dev", {**submit, **whole, "version": "0.3", "foo": "x"}, by="alice"),
        get("/alice/dev/listed-only/0.3"),
        form(
            "alice/dev",
            {**submit, "version": "0.4", "summary": "UNKNOWN", "license": "UNKNOWN", "classifiers": [""]},
            by="alice",
        ),
        get("/alice/dev/listed-only/0.4"),
        form("alice/dev", {**submit, "summary": "again"}, by="alice"), get("/alice/dev/listed-only/0.1"),
        form("alice/dev", {":action": "submit", "version": "1"}, by="alice"),
        form("alice/dev", {":action": "submit", "name": "x"}, by="alice"),
        form("alice/dev", submit, by="bob"), form("alice/dev", submit),
        form("alice/dev", {":action": "foo"}, by="alice"),
        form("alice/dev", {":action": "file_upload", "name": "x", "version": "1"}, by="alice"), get("/alice/dev/x"),
        *differing(
            "own-words", 400, form("alice/dev", {":action": "submit", "name": "_x", "version": "1"}, by="alice"),
            form("alice/dev", {"name": "x"}, by="alice"),
        ),
        form("alice/final", submit, by="alice"), form("alice/final", {**submit, "summary": "changed"}, by="alice"),
        get("/alice/final/listed-only/0.1"),
        delete("/alice/dev/listed-only/0.1", by="alice"), get("/alice/dev/listed-only"),
        delete("/alice/dev/listed-only", by="alice"),
        get("/alice/dev/listed-only"),
    ]
