"""`devpi list`, `remove`, `refresh` and the documentation in a `push`: every option."""

import zipfile

import pytest

from harness.dists import sdist, wheel

PUBLIC = "root/public"


def file_url(larder, dist, index=PUBLIC):
    digest = dist.sha256
    return f"{larder.url}/{index}/+f/{digest[:3]}/{digest[3:16]}/{dist.filename}"


def filled(larder, index, *dists):
    for dist in dists:
        larder.upload(index, dist).raise_for_status()
    return dists


def docs(client, name):
    path = client.work / name
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("index.html", f"<p>{name}</p>")
    return path


def has_docs(larder, index, project, version):
    reply = larder.http(None).get(f"{larder.url}/{index}/{project}/{version}/+doc/index.html", timeout=30)
    assert reply.status_code in (200, 404), reply.text
    return reply.status_code == 200


def removed(outcome):
    """The URLs that a removal names."""
    return [line.removeprefix("  - ") for line in outcome.lines if line.startswith("  - ")]


# list


@pytest.mark.pairs("sqlite-files")
def test_projects_and_their_newest_versions(devpi, larder):
    filled(larder, PUBLIC, wheel("mine", "1.9"), wheel("mine", "1.10"), wheel("Other_One", "2.0"))
    assert devpi("list").ok().lines == ["mine", "other-one"]
    assert devpi("list", "-v").ok().lines == ["mine==1.10", "Other_One==2.0"]
    assert devpi("list", "-v", "--all").ok().lines == ["mine==1.9", "mine==1.10", "Other_One==2.0"]
    assert devpi("list", "--index", "app/dev").ok().lines == []
    devpi("list", "none").failed().says("404 Not Found: no project 'none'")
    devpi("list", "--index", "root/none").failed().says("404 Not Found: The stage root/none could not be found.")


@pytest.mark.pairs("sqlite-files")
def test_files_newest_first_and_only_some_of_them(devpi, larder):
    versions = ("1.0", "1.1", "1.2", "1.10", "2.0a1")
    wheels = {version: wheel("mine", version) for version in versions}
    source = sdist("mine", "1.10")
    filled(larder, PUBLIC, source, *wheels.values())
    urls = {version: file_url(larder, dist) for version, dist in wheels.items()}
    shown = devpi("list", "mine").ok().lines
    assert shown == [
        urls["2.0a1"], urls["1.10"], file_url(larder, source), urls["1.2"],
        "2 older versions not shown, use --all to see",
    ]
    assert len(devpi("list", "--all", "mine").ok().lines) == 6
    assert devpi("list", "mine==1.0").ok().lines == [urls["1.0"]]
    assert devpi("list", "mine>=1.1,<1.10").ok().lines == [urls["1.2"], urls["1.1"]]
    assert devpi("list", "Mine==1.1").ok().lines[-1] == urls["1.1"]
    assert devpi("list", "mine==9.0").ok().lines == []


def test_what_bases_have_is_shown_unless_they_are_ignored(devpi, larder, upstream):
    upstream.add(wheel("mine", "0.9"), wheel("far", "3.0"))
    larder.json("/root/upper", method="PUT", json={"bases": PUBLIC, "mirror_whitelist": "*"})
    one, two = wheel("mine", "1.0"), wheel("mine", "1.0", summary="above")
    filled(larder, PUBLIC, one)
    filled(larder, "root/upper", two)
    devpi("use", "root/upper").ok()
    shown = devpi("list", "mine").ok().lines
    assert shown[:2] == [file_url(larder, two, "root/upper"), file_url(larder, one)], "above shadows below"
    assert "mine-0.9" in shown[2] and f"{larder.url}/root/pypi/+" in shown[2]
    own = devpi("list", "--ignore-bases", "mine").ok().lines
    assert [line.split("?")[0] for line in own] == [file_url(larder, two, "root/upper")]
    assert devpi("list", "--ignore-bases", "-v").ok().lines == ["mine==1.0"]
    devpi("list", "far").ok().says("far-3.0-py3-none-any.whl")
    assert devpi("list", "--ignore-bases", "far").ok().lines == []


# remove


def test_a_removal_asks_first_and_names_what_goes(devpi, larder, client):
    dists = filled(larder, PUBLIC, wheel("mine", "1.0"), sdist("mine", "1.0"), wheel("mine", "1.1"))
    no = client.answer(["no"], "devpi", "remove", "mine==1.0").ok().says("not deleting anything")
    assert set(removed(no)) == {file_url(larder, dist) for dist in dists[:2]}
    assert len(larder.files(PUBLIC, "mine")) == 3
    yes = client.answer(["yes"], "devpi", "remove", "mine==1.0").ok().says("deleting release 1.0 of mine")
    assert removed(yes) == removed(no)
    assert set(larder.files(PUBLIC, "mine")) == {dists[2].filename}
    assert larder.http(None).get(file_url(larder, dists[0]), timeout=10).status_code == 410


def test_versions_files_and_projects_are_removed(devpi, larder, client):
    dists = filled(larder, PUBLIC, *(wheel("mine", version) for version in ("1.0", "1.1", "1.2", "2.0")))
    devpi("upload", docs(client, "mine-1.0.doc.zip")).ok()
    devpi("remove", "-y", "mine>=1.1,<2").ok().says("deleting release 1.1 of mine", "deleting release 1.2 of mine")
    assert set(larder.files(PUBLIC, "mine")) == {dists[0].filename, dists[3].filename}
    devpi("remove", "-y", "mine==9.0").failed().says("No releases or distributions found matching 'mine==9.0'.")

    url = file_url(larder, dists[3])
    devpi("remove", "-y", url).ok().says("About to remove the following file:", url)
    assert set(larder.files(PUBLIC, "mine")) == {dists[0].filename}
    devpi("remove", "-y", url).failed().says(f"DELETE {url}", "410 Gone")
    devpi("remove", "-y", f"{larder.url}/root/public/+f/abc/def/no-1.0.zip").failed().says("404 Not Found")

    assert has_docs(larder, PUBLIC, "mine", "1.0")
    everything = devpi("remove", "-y", "mine").ok()
    assert any(url.endswith("/mine-1.0.doc.zip") for url in removed(everything))
    assert not has_docs(larder, PUBLIC, "mine", "1.0")
    devpi("remove", "-y", "mine").failed().says("404 Not Found: no project 'mine'")
    assert devpi("list").ok().lines == []


def test_a_final_index_lets_go_by_force_alone(devpi, larder, new_client):
    larder.json("/root/final", method="PUT", json={"volatile": False, "bases": PUBLIC})
    one, two, three = filled(larder, "root/final", *(wheel("mine", v) for v in ("1.0", "1.1", "1.2")))
    filled(larder, PUBLIC, one)
    there = ("--index", "root/final")
    refused = devpi("remove", "-y", *there, "mine==1.0").failed()
    refused.says(f"DELETE {larder.url}/root/final/mine/1.0", "403 Forbidden: cannot delete version on non-volatile")
    devpi("remove", "-y", *there, "mine").failed().says("403 Forbidden")
    devpi("remove", "-y", file_url(larder, two, "root/final")).failed().says("403 Forbidden")
    assert len(larder.files("root/final", "mine")) == 3

    devpi("remove", "-y", "-f", *there, "mine==1.0").ok()
    devpi("remove", "-y", "-f", file_url(larder, two, "root/final")).ok()
    assert larder.files("root/final", "mine") == {
        one.filename: file_url(larder, one), three.filename: file_url(larder, three, "root/final"),
    }, "the base keeps what it has"
    larder.json("/bob", method="PUT", json={"password": "secret123"})
    bob = new_client()
    bob.devpi("use", f"{larder.url}/root/final").ok()
    bob.devpi("login", "bob", "--password=secret123").ok()
    bob.devpi("remove", "-y", "-f", "mine==1.2").failed().says("403 Forbidden")
    devpi("remove", "-y", "-f", "--index", "final", "mine").ok()
    assert set(larder.files("root/final", "mine")) == {one.filename}


# refresh


def test_a_refresh_asks_the_upstream_again(devpi, larder, upstream):
    projects = ("beta", "gamma", "delta")
    upstream.add(*(wheel(project, "1.0") for project in projects))
    for project in projects:
        assert len(larder.files("root/pypi", project)) == 1
    upstream.add(*(wheel(project, "1.1") for project in projects))
    devpi("refresh", "beta", "gamma").ok().says("Refreshed beta", "Refreshed gamma").omits("Couldn't")
    assert [len(larder.files("root/pypi", project)) for project in projects] == [2, 2, 1]
    devpi("refresh", "--index", "root/pypi", "delta").ok()
    assert len(larder.files("root/public", "delta")) == 2
    devpi("refresh", "none").ok().says("Couldn't refresh none", "404 Not Found")


# push


@pytest.fixture
def documented(devpi, larder, client):
    """`mine` 1.0 with documentation in root/public, and an empty root/final."""
    larder.json("/root/final", method="PUT", json={"volatile": False})
    filled(larder, PUBLIC, wheel("mine", "1.0"), sdist("mine", "1.0"))
    devpi("upload", docs(client, "mine-1.0.doc.zip")).ok()


def test_documentation_goes_along_or_stays_or_goes_alone(documented, devpi, larder):
    devpi("push", "--no-docs", "mine==1.0", "root/final").ok().omits("doc")
    assert len(larder.files("root/final", "mine")) == 2
    assert not has_docs(larder, "root/final", "mine", "1.0")
    only = devpi("push", "--only-docs", "mine==1.0", "root/final").ok()
    only.says("store_doczip mine 1.0 -> root/final").omits("store_releasefile")
    assert has_docs(larder, "root/final", "mine", "1.0")
    larder.json("/root/third", method="PUT", json={})
    both = devpi("push", "--index", "root/final", "mine==1.0", "root/third").ok()
    both.says("register mine 1.0 -> root/third", "store_releasefile root/third/+f/")
    both.says("store_doczip mine 1.0 -> root/third")
    assert len(larder.files("root/third", "mine")) == 2
    assert has_docs(larder, "root/third", "mine", "1.0")


@pytest.mark.pairs("sqlite-files")
def test_what_a_push_is_told_must_make_sense(documented, devpi, larder):
    devpi("push", "--no-docs", "--only-docs", "mine==1.0", "root/final").failed().says("Can't use '--no-docs'")
    devpi("push", "mine>=1.0", "root/final").failed().says("name==version")
    devpi("push", "mine==1.0", "final").failed().says("not of form USER/NAME or pypi:REPONAME")
    devpi("push", "mine==1.0", "pypi:other").failed().says("no pypirc file found")
    devpi("push", "mine-1.0", "root/final").ok().says("Old style package specification is deprecated")
    assert len(larder.files("root/final", "mine")) == 2


@pytest.mark.pairs("sqlite-files")
def test_documentation_reaches_another_server(documented, devpi, larder, client, new_larder, new_place):
    other = new_larder(on=new_place("other")).start()
    (client.work / "rc").write_text(
        "[distutils]\nindex-servers = there\n\n"
        f"[there]\nrepository = {other.url}/root/public/\nusername = root\npassword = {other.password}\n"
    )
    pushed = devpi("push", "--pypirc", "rc", "--register-project", "mine==1.0", "pypi:there").ok()
    pushed.says("using pypirc rc", "200 register mine 1.0", "200 upload root/public/+f/", "200 docfile mine")
    assert len(other.files(PUBLIC, "mine")) == 2
    assert has_docs(other, PUBLIC, "mine", "1.0")
    unknown = devpi("push", "--pypirc", "rc", "mine==1.0", "pypi:nobody").failed()
    unknown.says("Error while trying to read section 'nobody'")
