"""`devpi upload` in every form: files, folders, and projects that it builds itself."""

import io
import tarfile
import zipfile

import pytest

from harness.dists import sdist, wheel
from harness.projects import Project

PUBLIC = "root/public"


@pytest.fixture
def project(client):
    """A project called `built`, 1.0; the client's commands run inside it."""
    made = Project(client.work / "source", "built", "1.0")
    client.work = made.folder
    return made


def doc_zip(path, text="<h1>Read me</h1>"):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("index.html", text)
        archive.writestr("sub/page.html", "below")
    return path


def doc_page(larder, index, project, version, path="index.html"):
    reply = larder.http(None).get(f"{larder.url}/{index}/{project}/{version}/+doc/{path}", timeout=30)
    return reply.text if reply.status_code == 200 else reply.status_code


def names(larder, project, index=PUBLIC):
    return set(larder.files(index, project))


def test_files_are_uploaded_wheels_first_and_stored_as_they_are(devpi, larder, client):
    dists = [sdist("mine", "1.0"), wheel("mine", "1.0", requires=["other>=2"], summary="What it is")]
    done = devpi("upload", *(dist.write(client.work) for dist in dists)).ok()
    assert done.lines == [
        f"file_upload of mine-1.0-py3-none-any.whl to {larder.url}/root/public/",
        f"file_upload of mine-1.0.tar.gz to {larder.url}/root/public/",
    ]
    for dist in dists:
        url = larder.files(PUBLIC, "mine")[dist.filename]
        assert larder.http(None).get(url, timeout=30).content == dist.content
    release = larder.json("/root/public/mine/1.0")
    assert (release["name"], release["requires_python"]) == ("mine", ">=3.8")
    assert {link["rel"] for link in release["+links"]} == {"releasefile"}
    assert [link["log"][0]["who"] for link in release["+links"]] == ["root", "root"]


def test_a_folder_is_searched_for_releases_and_documentation(devpi, larder, client):
    folder = client.work / "dist"
    for dist in (wheel("mine", "1.0"), sdist("mine", "1.1"), wheel("more", "2.0")):
        dist.write(folder / dist.filename[0])
    (folder / "readme.txt").write_text("not a release")
    doc_zip(folder / "mine-1.0.doc.zip")
    devpi("upload", folder).failed().says("is a directory but --from-dir not specified")
    devpi("upload", "no-such.whl").failed().says("path does not exist")

    planned = devpi("upload", "--dry-run", "--from-dir", folder).ok()
    planned.says("skipped: file_upload of mine-1.0-py3-none-any.whl", "skipped: doc_upload of mine-1.0.doc.zip")
    assert larder.page(PUBLIC, "mine") is None

    done = devpi("upload", "--from-dir", folder).ok().omits("readme")
    done.says("file_upload of mine-1.1.tar.gz", "doc_upload of mine-1.0.doc.zip to ")
    assert names(larder, "mine") == {"mine-1.0-py3-none-any.whl", "mine-1.1.tar.gz"}
    assert names(larder, "more") == {"more-2.0-py3-none-any.whl"}
    assert doc_page(larder, PUBLIC, "mine", "1.0") == "<h1>Read me</h1>"


def test_only_latest_and_another_index(devpi, larder, client):
    for version in ("1.0", "1.10", "1.9"):
        wheel("mine", version).write(client.work / "dist")
    devpi("index", "-c", "root/other").ok()
    devpi("upload", "--index", "root/other", "--only-latest", "--from-dir", "dist").ok().says("root/other")
    assert names(larder, "mine", "root/other") == {"mine-1.10-py3-none-any.whl"}
    assert larder.page(PUBLIC, "mine") is None
    devpi("upload", "--index", "other", "--from-dir", "dist").ok()
    assert len(names(larder, "mine", "root/other")) == 3


def test_documentation_finds_its_release(devpi, larder, client):
    devpi("upload", wheel("mine", "1.0").write(client.work), wheel("mine", "1.1").write(client.work)).ok()
    with tarfile.open(client.work / "mine-1.0.docs.tar.gz", "w:gz") as archive:
        entry = tarfile.TarInfo("index.html")
        entry.size = 8
        archive.addfile(entry, io.BytesIO(b"from tar"))
    packed = devpi("upload", "mine-1.0.docs.tar.gz").ok()
    packed.says("repackaged mine-1.0.docs.tar.gz to mine-1.0.doc.zip", "doc_upload of mine-1.0.doc.zip")
    assert doc_page(larder, PUBLIC, "mine", "1.0") == "from tar"
    # without a version it belongs to the newest release
    devpi("upload", doc_zip(client.work / "mine.doc.zip", "newest")).ok()
    assert doc_page(larder, PUBLIC, "mine", "1.1") == "newest"
    assert doc_page(larder, PUBLIC, "mine", "latest", "sub/page.html") == "below"
    devpi("upload", doc_zip(client.work / "mine-1.0.doc.zip", "again")).ok()
    assert doc_page(larder, PUBLIC, "mine", "1.0") == "again"
    assert doc_page(larder, PUBLIC, "mine", "stable", "none.html") == 404

    refused = devpi("upload", doc_zip(client.work / "nobody.doc.zip")).failed()
    refused.says("400 FAIL doc_upload of nobody.doc.zip", "POST to ")
    assert names(larder, "mine") == {"mine-1.0-py3-none-any.whl", "mine-1.1-py3-none-any.whl"}


def test_documentation_of_a_final_index_does_not_change(devpi, larder, client):
    devpi("index", "-c", "root/final", "volatile=False").ok()
    devpi("use", "root/final").ok()
    devpi("upload", doc_zip(client.work / "mine-1.0.doc.zip", "first")).ok()
    refused = devpi("upload", doc_zip(client.work / "mine-1.0.doc.zip", "second")).failed()
    refused.says("409 FAIL doc_upload", "mine-1.0.doc.zip already exists in non-volatile index")
    assert doc_page(larder, "root/final", "mine", "1.0") == "first"


def test_refusals_are_printed_in_words_and_store_nothing(devpi, larder, client, new_client):
    path = wheel("mine", "1.0").write(client.work)
    stranger = new_client()
    stranger.devpi("use", f"{larder.url}/root/public").ok()
    stranger.devpi("upload", path).failed().says("401 FAIL file_upload of mine-1.0-py3-none-any.whl")
    larder.json("/bob", method="PUT", json={"password": "secret123"})
    stranger.devpi("login", "bob", "--password=secret123").ok()
    refused = stranger.devpi("upload", path).failed()
    refused.says("403 FAIL file_upload", "no permission to submit", f"POST to {larder.url}/root/public/ FAILED")
    devpi("use", "root/pypi").ok()
    devpi("upload", path).failed().says("does not support upload", "it is a mirror")
    devpi("upload", "--index", "root/pypi", path).failed().says("404 FAIL", "cannot submit to mirror index")
    devpi("upload", "--index", "root/nowhere", path).failed().says("404 Not Found")
    devpi("use", PUBLIC).ok()
    renamed = client.work / "mine-2.0-py3-none-any.whl"
    renamed.write_bytes(path.read_bytes())
    devpi("upload", renamed).failed().says("400 FAIL file_upload of mine-2.0-py3-none-any.whl")
    assert larder.page(PUBLIC, "mine") is None


BUILT = {"built-1.0-py2.py3-none-any.whl", "built-1.0.tar.gz"}


@pytest.mark.pairs("sqlite-files")
@pytest.mark.parametrize(
    ("options", "files", "words"),
    [
        (["--no-isolation"], BUILT, "built: "),
        (["--no-isolation", "--wheel"], {"built-1.0-py2.py3-none-any.whl"}, "-m build --wheel"),
        (["--no-isolation", "--sdist"], {"built-1.0.tar.gz"}, "-m build --sdist"),
        (["--no-isolation", "--formats=sdist,bdist_wheel"], BUILT, "you can remove it"),
        (["--no-isolation", "--formats=bdist_wheel", "-v"], {"built-1.0-py2.py3-none-any.whl"}, "--wheel"),
    ],
)
def test_a_project_is_built_and_uploaded(options, files, words, devpi, larder, project):
    devpi("upload", *options).ok().says("pre-build: cleaning", words, "file_upload of built-1.0")
    assert names(larder, "built") == files
    assert larder.json("/root/public/built/1.0")["summary"] == "Built by a test"


@pytest.mark.pairs("sqlite-files")
def test_an_isolated_build_and_the_settings_in_pyproject_toml(devpi, larder, project, client):
    project.append("pyproject.toml", "\n[tool.devpi.upload]\nsdist = true\nno-vcs = true\n")
    done = devpi("upload").ok()
    done.says("detected tool.devpi.upload section", "Got sdist=True")
    assert names(larder, "built") == {"built-1.0.tar.gz"}
    installed = client.pip_install(f"{larder.url}/root/public/+simple/", "built").ok()
    assert installed.versions == {"built": "1.0"}


@pytest.mark.pairs("sqlite-files")
def test_setup_py_makes_what_the_build_module_does_not(devpi, larder, project):
    project.use_setuptools("built", "1.0")
    project.write("setup.cfg", "[devpi:upload]\nformats = sdist.zip\n")
    devpi("upload", "--no-isolation", "--no-vcs").ok().says("detected devpi:upload section", "setup.py sdist")
    assert names(larder, "built") == {"built-1.0.zip"}


@pytest.mark.pairs("sqlite-files")
@pytest.mark.parametrize(
    ("options", "words", "has_draft"),
    [([], "copied repo", False), (["--setupdir-only"], "not copying vcs", False), (["--no-vcs"], "", True)],
)
def test_a_checkout_is_exported_before_it_is_built(options, words, has_draft, devpi, larder, project, client):
    client.sh("git init -q . && git add backend.py pyproject.toml").ok()
    project.write("draft.txt", "not in the repository")
    devpi("upload", "--no-isolation", "--sdist", *options).ok().says(words, "built-1.0.tar.gz")
    url = larder.files(PUBLIC, "built")["built-1.0.tar.gz"]
    body = larder.http(None).get(url, timeout=30).content
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        assert ("built-1.0/draft.txt" in archive.getnames()) == has_draft


@pytest.mark.pairs("sqlite-files")
def test_documentation_is_built_and_uploaded(devpi, larder, project, client):
    project.write("doc/conf.py", "project = 'built'\n")
    project.write("doc/index.txt", "The documentation")
    client.script("sphinx-build", '#!/bin/sh\nmkdir -p "$3" && cp "$2/index.txt" "$3/index.html"\n')
    only = devpi("upload", "--no-isolation", "--only-docs").ok()
    only.says("built-1.0.doc.zip [sphinx docs]", "doc_upload of built-1.0.doc.zip").omits("file_upload")
    assert doc_page(larder, PUBLIC, "built", "1.0") == "The documentation"
    assert names(larder, "built") == set()
    project.write("doc/index.txt", "The second")
    both = devpi("upload", "--no-isolation", "--with-docs").ok()
    both.says("file_upload of built-1.0.tar.gz", "doc_upload of built-1.0.doc.zip")
    assert doc_page(larder, PUBLIC, "built", "1.0") == "The second"
    assert names(larder, "built") == BUILT
