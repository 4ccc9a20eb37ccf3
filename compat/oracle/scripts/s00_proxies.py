"""Section 0.7: addresses behind a proxy that is trusted."""

from harness.dists import wheel
from oracle.exchange import PIP, SIMPLE_JSON, get, page, people, put, upload

LARDER_OPTIONS = ["--trusted-proxy", "*"]
DEVPI_OPTIONS = ["--trusted-proxy", "*", "--trusted-proxy-headers", "x-forwarded-proto x-forwarded-host"]


def exchanges(upstream):
    return [
        *people("alice"), put("/alice/dev", {}, by="alice"), put("/alice/top", {"bases": "alice/dev"}, by="alice"),
        upload("alice/dev", wheel("My_Pkg", "1.0"), by="alice"), *proxies(),
    ]


def proxies():
    outside = {"x-outside-url": "https://pypi.example.org"}
    below = {"x-outside-url": "https://example.org/devpi"}
    paths = ("/+api", "/alice/dev/+api", "/alice/dev/my-pkg/1.0", "/alice/dev/+simple")
    return [
        *[get(path, headers=headers, note=headers["x-outside-url"]) for path in paths for headers in (outside, below)],
        get("/devpi/alice/dev/+api", headers=below, note="the path is taken off"),
        get("/devpi/alice/dev/my-pkg/1.0", headers=below, note="the path is taken off"),
        page("alice/dev", "my-pkg", headers=outside), page("alice/dev", "my-pkg", headers=below),
        page("alice/top", "my-pkg", headers=below),
        get("/alice/top/+simple/my-pkg", accept=SIMPLE_JSON, headers=below),
        get("/alice/top/+simple/my-pkg", accept=None, headers={**below, "user-agent": PIP}),
        page("alice/dev", "my-pkg", headers={"x-devpi-absolute-urls": ""}, looks_at="links"),
        page("alice/top", "my-pkg", headers={"x-devpi-absolute-urls": "1"}, looks_at="links"),
        page("alice/dev", "my-pkg", headers={"x-devpi-absolute-urls": "", **below}, looks_at="links"),
        get("/+api", headers={"host": "other.example.org"}), get("/+api", headers={"x-real-ip": "10.0.0.1"}),
        get("/+api", headers={"x-forwarded-proto": "https"}),
        get("/+api", headers={"x-forwarded-host": "other.example.org"}),
    ]
