"""Section 0: headers, forms of answers by Accept and User-Agent, slashes, redirects, outside addresses."""

from harness.dists import sdist, wheel
from oracle.exchange import PIP, SIMPLE_JSON, get, head, page, people, post, put, upload

HTML = "text/html"
WIRE = ("x-devpi-server-version",)
INSTALLERS = (
    "pip/26.0", "uv/0.13", "pex/2", "setuptools/70 x", "distribute/0.6", "foo pip/1", "Mozilla/5.0 pip/3 x",
)
OTHERS = ("poetry/2", "PDM/2", "pipenv/1", "twine/7", "pip-tools pip", "xpip/1", "Mozilla/5.0")


def exchanges(upstream):
    return [
        *people("alice"), put("/alice/dev", {}, by="alice"), put("/alice/top", {"bases": "alice/dev"}, by="alice"),
        upload("alice/dev", wheel("My_Pkg", "1.0"), by="alice"), upload("alice/dev", sdist("other", "2.0"), by="alice"),
        *headers(), *negotiation(), *installers(), *slashes(), *proxies(),
    ]


def headers():
    paths = ("/", "/alice", "/alice/dev", "/alice/dev/my-pkg", "/alice/dev/my-pkg/1.0", "/+api", "/nobody", "/a/b/c/d/e")
    return [get(path, compares=WIRE, note="headers") for path in paths]


def negotiation():
    json_views = ("/", "/alice", "/alice/dev", "/alice/dev/my-pkg", "/alice/dev/my-pkg/1.0", "/+api", "/alice/dev/+api")
    accepts = (
        "application/json", "application/*", None, "application/json;q=0.5", "text/html;q=0.5, application/json",
        "application/json, text/html", HTML, SIMPLE_JSON, "application/xml",
    )
    simple = ("/alice/dev/+simple/", "/alice/dev/+simple/my-pkg/")
    simple_accepts = (
        None, HTML, SIMPLE_JSON, "application/*", "application/json", "text/html;q=0.5, application/json",
        f"{SIMPLE_JSON}, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01",
        "application/vnd.pypi.simple.v1+html", "application/vnd.pypi.simple.latest+json", "application/xml",
    )
    return [
        *[get(path, accept=accept, note=f"Accept: {accept}") for path in json_views for accept in accepts],
        *[get(path, accept=accept, note=f"Accept: {accept}") for path in simple for accept in simple_accepts],
        get("/nobody", accept=None), get("/nobody", accept=HTML), get("/alice/dev/nope", accept=HTML),
        get("/alice/dev/nope", accept=None),
    ]


def installers():
    paths = ("/alice/dev", "/alice/dev/my-pkg", "/alice/top/+simple/my-pkg")
    return [
        get(path, accept=None, headers={"user-agent": agent}, note=agent)
        for path in paths for agent in (*INSTALLERS, *OTHERS)
    ]


def slashes():
    pip = {"user-agent": PIP}
    return [
        get("/alice/dev/+simple"), get("/alice/dev/+simple", accept=SIMPLE_JSON), get("/alice/dev/+simple", headers=pip),
        get("/alice/dev/+simple/my-pkg"), get("/alice/dev/+simple/my-pkg", accept=SIMPLE_JSON),
        get("/alice/dev/+simple/my-pkg", headers=pip, accept=None),
        get("/alice/dev/+simple/My_Pkg/"), get("/alice/dev/+simple/My_Pkg"),
        get("/alice/dev/+simple/My.Pkg/", headers=pip, accept=None), get("/alice/dev/+simple/My-Pkg/", accept=SIMPLE_JSON),
        get("/alice/dev/My_Pkg"), get("/alice/dev/My_Pkg/"), get("/alice/dev/My_Pkg/1.0"),
        get("/alice/dev/My_Pkg", headers=pip, accept=None),
        get("/alice/"), get("/alice/dev/"), get("/alice/dev/my-pkg/"), get("/alice/dev/my-pkg/1.0/"),
        get("/alice/dev/my-pkg/?ignore_bases="), get("/alice/dev/?no_projects="),
        get("/alice/dev/%2Bsimple/my-pkg/", accept=SIMPLE_JSON, differs="pages-tell-more"), get("/alice/dev/%2Bapi"), get("/%2Bapi"),
        get("//alice/dev"), get("/alice//dev"), get("/alice/dev//my-pkg"),
        get("/%61lice/dev"), get("/ALICE/dev"), get("/alice/DEV"),
        get("/robots.txt"), get("/favicon.ico"),
        page("alice/dev", "nope"), get("/alice/dev/+simple/nope/", accept=None), get("/alice/nope/+simple/"),
        get("/alice/nope/+simple/my-pkg/"), get("/nobody/nope/+simple/"), get("/alice/dev/+simple/p%C3%A9/"),
        head("/alice/dev/+simple/my-pkg/"), head("/alice/dev"), head("/"),
        post("/alice/dev/+simple/nope/refresh"), get("/alice/dev/+simple/my-pkg/refresh"),
    ]


def proxies():
    outside = {"x-outside-url": "https://pypi.example.org"}
    below = {"x-outside-url": "https://example.org/devpi"}
    paths = ("/+api", "/alice/dev/+api", "/alice/dev/my-pkg/1.0", "/alice/dev/+simple", "/alice/dev/+simple/My_Pkg/")
    return [
        *[get(path, headers=outside, note="outside") for path in paths],
        *[get(path, headers=below, note="below a path") for path in paths],
        get("/devpi/alice/dev/+api", headers=below, note="the path is taken off"),
        page("alice/dev", "my-pkg", headers=below), page("alice/dev", "my-pkg", headers={"x-devpi-absolute-urls": ""}),
        get("/+api", headers={"host": "other.example.org"}), get("/+api", headers={"x-forwarded-host": "evil.example.org"}),
        get("/+api", headers={"x-forwarded-proto": "https"}), get("/+api", headers={"x-real-ip": "10.0.0.1"}),
    ]
