"""Section 0: headers, forms of answers by Accept and User-Agent, slashes, redirects, outside addresses."""

from harness.dists import sdist, wheel
from oracle.exchange import PIP, SIMPLE_JSON, differing, get, head, page, people, put, upload

HTML = "text/html"
VIEWS = {
    "/": "list:userconfig", "/alice": "userconfig", "/alice/dev": "indexconfig", "/+api": "apiconfig",
    "/alice/dev/+api": "apiconfig", "/alice/dev/my-pkg": "projectconfig", "/alice/dev/my-pkg/1.0": "versiondata",
}
PAGES = ("/alice/dev", "/alice/dev/my-pkg")
WIRE = ("x-devpi-server-version",)
INSTALLERS = (
    "pip/26.0", "uv/0.13", "pex/2", "setuptools/70 x", "distribute/0.6", "foo pip/1", "Mozilla/5.0 pip/3 x",
)
OTHERS = ("poetry/2", "PDM/2", "pipenv/1", "twine/7", "pip-tools pip", "xpip/1", "Mozilla/5.0")


def exchanges(upstream):
    return [
        *people("alice"), put("/alice/dev", {}, by="alice"), put("/alice/top", {"bases": "alice/dev"}, by="alice"),
        upload("alice/dev", wheel("My_Pkg", "1.0"), by="alice"),
        upload("alice/dev", sdist("other", "2.0"), by="alice"),
        *headers(), *negotiation(), *installers(), *slashes(), *strangers(),
    ]


def headers():
    return [get(path, compares=WIRE, note="headers") for path in (*VIEWS, "/nobody", "/a/b/c/d/e")]


def asked(path, *accepts):
    return [get(path, accept=accept, note=f"Accept: {accept}") for accept in accepts]


def negotiation():
    return [
        *[exchange for path, kind in VIEWS.items() for exchange in view(path, (200, kind))],
        *asked("/alice/dev", SIMPLE_JSON),
        *differing("json-for-all", (200, '"files"'), *asked("/alice/dev/my-pkg", SIMPLE_JSON)),
        *differing("json-for-all", 404, get("/alice/dev/nope", accept=None)),
        *simple("/alice/dev/+simple/"), *simple("/alice/dev/+simple/my-pkg/"),
        get("/nobody", accept=None), get("/nobody", accept=HTML), get("/alice/dev/nope", accept=HTML),
    ]


def view(path, larder):
    """A view that devpi-server has in JSON only; the project also refuses to choose."""
    choosing = ("application/*", None)
    wide = asked(path, *choosing)
    wide = differing("json-for-all", larder, *wide) if path.endswith("my-pkg") else wide
    return [
        *asked(
            path, "application/json", "application/json;q=0.5", "text/html;q=0.5, application/json",
            "application/json, text/html",
        ),
        *wide, *differing("json-for-all", larder, *asked(path, HTML, "application/xml")),
        *differing("json-for-all", larder, *asked(path, *([SIMPLE_JSON] if path not in PAGES else []))),
    ]


def simple(path):
    from_pip = f"{SIMPLE_JSON}, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"
    return [
        *asked(
            path, None, HTML, SIMPLE_JSON, from_pip, "application/json", "text/html;q=0.5, application/json",
            "application/xml",
        ),
        *differing("formats", (200, "<a"), *asked(path, "application/*", "application/vnd.pypi.simple.v1+html")),
        *differing("formats", (200, '"meta"'), *asked(path, "application/vnd.pypi.simple.latest+json")),
    ]


def installers():
    def as_agents(path, *agents):
        return [get(path, accept=None, headers={"user-agent": agent}, note=agent) for agent in agents]

    return [
        *differing("list-has-an-address", 302, *as_agents("/alice/dev", *INSTALLERS)),
        *as_agents("/alice/dev", *OTHERS),
        *as_agents("/alice/dev/my-pkg", *INSTALLERS),
        *differing("json-for-all", (200, "projectconfig"), *as_agents("/alice/dev/my-pkg", *OTHERS)),
        *as_agents("/alice/top/+simple/my-pkg", *INSTALLERS),
        *differing(
            "any-spelling", (200, "My_Pkg-1.0-py3-none-any.whl"), *as_agents("/alice/top/+simple/my-pkg", *OTHERS),
        ),
    ]


def slashes():
    pip = {"user-agent": PIP}
    return [
        get("/alice/dev/+simple"), get("/alice/dev/+simple", accept=SIMPLE_JSON),
        get("/alice/dev/+simple", headers=pip, accept=None, differs="list-has-an-address", larder=302),
        get("/alice/dev/+simple/my-pkg", accept=SIMPLE_JSON),
        get("/alice/dev/+simple/my-pkg", headers=pip, accept=None),
        *differing(
            "any-spelling", (200, "My_Pkg-1.0-py3-none-any.whl"),
            get("/alice/dev/+simple/my-pkg"), get("/alice/dev/+simple/My_Pkg/"), get("/alice/dev/+simple/My_Pkg"),
            get("/alice/dev/+simple/My.Pkg/", headers=pip, accept=None),
            get("/alice/dev/+simple/My-Pkg/", accept=SIMPLE_JSON),
            get("/alice/dev/My_Pkg"), get("/alice/dev/My_Pkg/"), get("/alice/dev/My_Pkg/1.0"),
            get("/alice/dev/My_Pkg", headers=pip, accept=None),
        ),
        get("/alice/"), get("/alice/dev/"), get("/alice/dev/my-pkg/"), get("/alice/dev/my-pkg/1.0/"),
        get("/alice/dev/my-pkg/?ignore_bases="), get("/alice/dev/?no_projects="),
        get("/alice/dev/%2Bsimple/my-pkg/", accept=SIMPLE_JSON), get("/alice/dev/%2Bapi"), get("/%2Bapi"),
        get("//alice/dev"), get("/alice//dev"), get("/alice/dev//my-pkg"),
        get("/%61lice/dev"), get("/ALICE/dev"), get("/alice/DEV"),
        get("/robots.txt"), get("/favicon.ico"),
        page("alice/dev", "nope"), get("/alice/dev/+simple/nope/", accept=None), get("/alice/nope/+simple/"),
        get("/alice/nope/+simple/my-pkg/"), get("/nobody/nope/+simple/"),
        get("/alice/dev/+simple/p%C3%A9/", differs="missing-first", larder=(404, "not a valid project name")),
        head("/alice/dev/+simple/my-pkg/"), head("/alice/dev"), head("/"),
        get("/alice/dev/+simple/my-pkg/refresh", differs="methods", larder=405),
    ]


def strangers():
    """A proxy that nobody trusts."""
    outside = {"x-outside-url": "https://evil.example.org/devpi"}
    return [
        *differing("trusted-proxies", (200, "HOST/+login"), get("/+api", headers=outside)),
        *differing("trusted-proxies", (302, "HOST/alice/dev/+simple/"), get("/alice/dev/+simple", headers=outside)),
        get("/+api", headers={"host": "other.example.org"}),
        get("/+api", headers={"x-forwarded-host": "evil.example.org"}),
        get("/+api", headers={"x-forwarded-proto": "https"}), get("/+api", headers={"x-real-ip": "10.0.0.1"}),
    ]
