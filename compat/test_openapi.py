"""The document at `/+openapi.json`, and requests made from it by schemathesis: no answer is one that
the document does not describe, and none is a fault of the server."""

import io
import json
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from harness.clients import BIN
from harness.dists import sdist, wheel

pytestmark = pytest.mark.pairs("sqlite-files")

HOOKS = Path(__file__).parent / "harness" / "openapi_hooks.py"
# `Allow` is compared by the server's own tests: schemathesis knows no PUSH.
CHECKS = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "unsupported_method",
]
EXAMPLES = 20
# `/+authcheck` answers whatever method a proxy was asked with.
CONFIG = """
[[operations]]
include-path = "/+authcheck"
checks.unsupported_method.enabled = false
"""


@pytest.fixture
def stocked(larder, upstream):
    """A Larder with something behind every kind of address, and a login of the owner of `owner/stage`."""
    upstream.add(wheel("alpha", "1.0"), sdist("alpha", "0.9"))
    larder.json("/owner", method="PUT", json={"password": "owner-password"})
    config = {"bases": ["root/pypi"], "acl_upload": ["owner", "root"], "acl_toxresult_upload": ["owner", "root"]}
    larder.json("/owner/stage", method="PUT", json={**config, "volatile": False})
    larder.json("/owner/target", method="PUT", json=config)
    for dist in (wheel("mine", "1.0"), sdist("mine", "1.1")):
        assert larder.upload("owner/stage", dist).status_code == 200
    docs = io.BytesIO()
    with zipfile.ZipFile(docs, "w") as archive:
        archive.writestr("index.html", "<h1>mine</h1>")
    form = {":action": "doc_upload", "name": "mine", "version": "1.0"}
    reply = larder.http().post(f"{larder.url}/owner/stage/", data=form, files={"content": ("docs.zip", docs.getvalue())})
    assert reply.status_code == 200, reply.reason
    file = larder.files("owner/stage", "mine")[wheel("mine", "1.0").filename]
    larder.json(file.removeprefix(larder.url), method="POST", json={"testenvs": {}})
    return larder


def document_of(larder):
    reply = larder.http(None).get(f"{larder.url}/+openapi.json", timeout=10)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    return reply.json()


def steered(document, larder, upstream):
    """The same document with the names of things that are there, or little would be met; what is asked
    against the document's own rules still has any name."""
    dist = wheel("mine", "1.0")
    known = {
        "user": ["owner", "root", "nobody"], "index": ["stage", "target", "pypi", "new"],
        "project": ["mine", "alpha", "nothing"], "version": ["1.0", "1.1", "9.9"],
        "docVersion": ["latest", "1.0", "9.9"], "docPath": ["index.html", "nothing.html"],
        "filename": [dist.filename, "nothing.whl"],
    }
    components = document["components"]
    for name, values in known.items():
        components["parameters"][name]["schema"] = {"enum": values}
    # A generated `/` would arrive encoded, as a part of one segment; so each segment is one parameter.
    segments = {
        "first": [dist.sha256[:3]], "second": [dist.sha256[3:16]],
        "name": [dist.filename, dist.filename + ".metadata", "nothing.whl"],
    }
    for area in ("+f", "+e"):
        item = document["paths"].pop("/{user}/{index}/%s/{path}" % area)
        item["parameters"] = item["parameters"][:2] + [
            {"name": name, "in": "path", "required": True, "schema": {"enum": values}}
            for name, values in segments.items()
        ]
        document["paths"]["/{user}/{index}/%s/{first}/{second}/{name}" % area] = item
    for name in ("filePath", "externalPath"):
        del components["parameters"][name]
    # Pushes find something, and nothing that is made up is asked for on the network.
    schemas = components["schemas"]
    for push in ("PushHere", "PushElsewhere"):
        schemas[push]["properties"].update(name={"enum": ["mine"]}, version={"enum": ["1.0", "1.1"]})
    schemas["PushHere"]["properties"]["targetindex"] = {"enum": ["owner/target", "root/public"]}
    schemas["PushElsewhere"]["properties"]["posturl"] = {"const": upstream.origin + "/legacy/"}
    schemas["IndexSettings"]["properties"]["mirror_url"] = {"const": upstream.url}
    return document


def token_of(larder, user):
    login = {"user": user, "password": f"{user}-password"}
    reply = larder.http(None).post(f"{larder.url}/+login", json=login, timeout=30)
    return reply.json()["result"]["password"]


# What a run must have met, or it asked beside the point.
MET = {
    "nobody": {("GET", "200"), ("GET", "302"), ("GET", "404"), ("PUT", "403"), ("POST", "401"), ("POST", "404")},
    "owner": {
        ("GET", "200"), ("GET", "404"), ("PUT", "200"), ("PUT", "409"), ("PATCH", "200"), ("PATCH", "400"),
        ("POST", "200"), ("POST", "302"), ("POST", "400"), ("DELETE", "200"), ("DELETE", "403"),
    },
}


@pytest.mark.parametrize("caller", sorted(MET))
def test_no_answer_is_one_that_the_document_does_not_describe(caller, stocked, upstream, tmp_path):
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(steered(document_of(stocked), stocked, upstream)))
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    command = [
        str(BIN / "schemathesis"), "run", str(path), "--url", stocked.url, "--checks", ",".join(CHECKS),
        "--phases", "coverage,fuzzing", "--max-examples", str(EXAMPLES), "--seed", "1",
        "--generation-database", "none", "--generation-with-security-parameters", "false", "--exclude-method", "HEAD",
        "--no-shrink", "--continue-on-failure", "--request-timeout", "30", "--max-redirects", "0",
        "--suppress-health-check", "all", "--warnings", "off", "--no-color",
    ]
    if caller != "nobody":
        # as devpi-client: refusals in JSON, and what is known about files
        command += ["--header", f"Authorization: Bearer {token_of(stocked, caller)}"]
        command += ["--header", "Accept: application/json"]
    before = len(stocked.process.lines)
    environment = {
        "PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8",
        "SCHEMATHESIS_HOOKS": str(HOOKS), "LARDER_OPENAPI_CALLER": caller,
    }
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=150, errors="replace", text=True,
    )
    assert done.returncode == 0, done.stdout
    answered = "\n".join(stocked.process.lines[before:])
    met = set(re.findall(r"method=([A-Z]+) path=.* status=(\d+)", answered))
    assert MET[caller] <= met, sorted(MET[caller] - met)
