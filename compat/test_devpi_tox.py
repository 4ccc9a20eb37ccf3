"""`devpi test` with a real tox and the results it leaves, `devpi list -t`, and `devpi install`."""

import json
import sys
import venv

import pytest

from harness.clients import other_client
from harness.dists import wheel
from harness.projects import Project

PUBLIC = "root/public"
SDIST, WHEEL = "built-1.0.tar.gz", "built-1.0-py2.py3-none-any.whl"


def built(devpi, client, ini, *formats):
    """Builds `built` 1.0 with this tox.ini and uploads it."""
    project = Project(client.work / "source", "built", "1.0")
    project.write("tox.ini", ini)
    client.run("python", "-m", "build", "--no-isolation", *formats, project.folder, "-o", "dist").ok()
    devpi("upload", "--from-dir", "dist").ok()


def results(larder, index=PUBLIC, version="1.0"):
    """The stored results of `built`: the file they are about, and their documents."""
    links = larder.json(f"/{index}/built/{version}")["+links"]
    found = {}
    for link in links:
        if link["rel"] == "toxresult":
            body = larder.http().get(link["href"], timeout=30).json()
            found.setdefault(link["for_href"].rsplit("/", 1)[1], []).append(body)
    return found


@pytest.mark.pairs("sqlite-files")
def test_tox_runs_with_the_index_alone_and_its_results_are_kept(devpi, larder, client):
    client.script("tox", f'#!/bin/sh\nexec {other_client("tox")}/tox "$@"\n')
    client.environment["VIRTUALENV_NO_PERIODIC_UPDATE"] = "1"
    built(devpi, client, "[testenv:good]\ndeps = helper\ncommands = python -c 'import built, helper'\n", "--sdist")
    larder.json("/root/public", method="PATCH", json=["acl_toxresult_upload=root", "acl_read=root"])
    larder.upload(PUBLIC, wheel("helper", "1.0")).raise_for_status()
    run = devpi("test", "-e", "good", "built").ok()
    run.says("received ", "root:****@", "posting tox result data to ", "success").omits("could not post")
    ((document,),) = results(larder).values()
    assert document["toxversion"].startswith("4.")
    assert [step["retcode"] for step in document["testenvs"]["good"]["test"]] == [0]


def report(text, code=0):
    """What tox writes, as far as devpi looks at it."""
    setup = {"command": ["python", "-c", "pass"], "output": "", "retcode": 0}
    python = {"executable": "python", "version": "3.11", "is_64": True, "version_info": [3, 11, 0]}
    test = {"command": ["python", "-m", "unittest"], "output": text, "retcode": code}
    return {
        "reportversion": "1", "toxversion": "4.0", "host": "somewhere", "platform": "linux",
        "testenvs": {"py311": {"python": python, "setup": [setup], "test": [test]}},
    }


def fake_tox(client, document, code=0):
    """A tox that runs nothing, leaves this report and ends with this code."""
    path = client.work / "report.json"
    path.write_text(json.dumps(document))
    client.script(
        "tox",
        "#!/bin/sh\necho \"arguments $*\"\n"
        'while [ "$1" != --result-json ]; do shift; done\n'
        f'cp {path} "$2"\necho "index $PIP_INDEX_URL"\nexit {code}\n',
    )


@pytest.fixture
def quick(devpi, client):
    """`built` 1.0 as sdist and wheel, and a tox that is quick."""
    built(devpi, client, "[tox]\n")
    fake_tox(client, report("all is well"))


def test_results_are_taken_from_whom_the_index_says(quick, devpi, larder, new_client, client):
    devpi("test", "--list", "built").ok().says("would test:", f"/{SDIST}", f"/{WHEEL}")
    refused = devpi("test", "built").failed()
    refused.says("403 Forbidden: No permission to upload tox results").omits("success")
    assert results(larder) == {}
    devpi("index", "root/public", "acl_toxresult_upload=root").ok()
    devpi("test", "built").ok().says("success", "index http://root:", "/root/public/+simple/")
    assert results(larder) == {SDIST: [report("all is well")], WHEEL: [report("all is well")]}

    stranger = new_client()
    stranger.environment["PATH"] = client.environment["PATH"]
    stranger.devpi("use", f"{larder.url}/root/public").ok()
    fake_tox(client, report("from a stranger"))
    stranger.devpi("test", "-s", "tar.gz", "built").failed().says("403 Forbidden")
    devpi("index", "root/public", "acl_toxresult_upload=:ANONYMOUS:").ok()
    stranger.devpi("test", "-s", "tar.gz", "built").ok().says("success")
    assert {name: len(found) for name, found in results(larder).items()} == {SDIST: 2, WHEEL: 1}

    devpi("index", "-c", "root/final", "volatile=False").ok()
    devpi("push", "built==1.0", "root/final").ok().says("store_toxresult root/final/+f/")
    assert results(larder, "root/final") == results(larder)
    devpi("remove", "-y", "built==1.0").ok()
    assert larder.page(PUBLIC, "built") is None
    assert len(results(larder, "root/final")) == 2


@pytest.mark.pairs("sqlite-files")
def test_results_are_listed_and_failures_explained(quick, devpi, larder, client):
    devpi("index", "root/public", "acl_toxresult_upload=root").ok()
    devpi("test", "-s", "tar.gz", "built==1.0").ok()
    listed = devpi("list", "-t", "built").ok()
    listed.says("somewhere  linux   py311      3.11 tests passed").omits("failed", "corrupt")
    devpi("list", "built").ok().omits("tests passed")

    fake_tox(client, report("the reason", code=1), code=1)
    (client.work / "other.ini").write_text("[tox]\n")
    run = devpi("test", "-c", "other.ini", "-e", "py311", "--tox-args=-v -q", "-s", "whl", "built").failed()
    run.says("arguments --installpkg", "-epy311", "other.ini -v -q", "success", "tox command failed 1")
    devpi("list", "-t", "built").ok().says("tests passed", "tests failed").omits("the reason")
    devpi("list", "-f", "built").ok().says("tests failed", "FAIL: python -m unittest", "the reason")

    quiet = devpi("test", "--no-upload", "-s", "whl", "built").failed()
    quiet.says("tox command failed 1").omits("posting tox result")
    assert {name: len(found) for name, found in results(larder).items()} == {SDIST: 1, WHEEL: 1}
    devpi("test", "none").failed().says("could not find/receive links for none")


@pytest.mark.pairs("sqlite-files")
def test_a_private_index_is_tested_with_the_login(quick, devpi, larder):
    larder.json("/root/public", method="PATCH", json=["acl_read=root", "acl_toxresult_upload=root"])
    devpi("test", "--index", PUBLIC, "built").ok().says("received", "success")
    assert set(results(larder)) == {SDIST, WHEEL}


@pytest.mark.pairs("sqlite-files")
def test_install_uses_the_index_and_the_login(devpi, larder, client):
    env = client.work / "env"
    venv.create(env, with_pip=False)
    (env / "bin/pip").write_text(f'#!/bin/sh\nexec {sys.executable} -m pip --python {env}/bin/python "$@"\n')
    (env / "bin/pip").chmod(0o755)
    larder.json("/root/priv", method="PUT", json={"acl_read": "root", "bases": PUBLIC})
    for index, dist in (("root/priv", wheel("secret", "1.0", requires=["mine"])), (PUBLIC, wheel("mine", "1.0"))):
        larder.upload(index, dist).raise_for_status()
    devpi("install", "--venv", env, "secret").failed().says("No matching distribution found for secret")
    done = devpi("install", "--venv", env, "--index", "root/priv", "secret").ok()
    done.says("Successfully installed mine-1.0 secret-1.0")
    larder.upload(PUBLIC, wheel("mine", "1.1b1")).raise_for_status()
    (client.work / "wanted.txt").write_text("mine\n")
    devpi("install", "--venv", env, "-r", "wanted.txt").ok().says("Successfully installed mine-1.1b1")
    devpi("install", "--venv", env, "-l").ok().says("secret", "1.1b1")
