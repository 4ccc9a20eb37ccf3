"""Private packages: uploading with every client, and installing what was uploaded."""

import pytest

from harness.dists import sdist, wheel

PUBLIC = "root/public"
DEV = "app/dev"


def simple(larder, index):
    return f"{larder.url}/{index}/+simple/"


def make_index(larder, name, **config):
    return larder.json(f"/root/{name}", method="PUT", json=config)


def send(client, larder, tool, index, *paths, password=None):
    """Uploads with one of the clients as root."""
    url, password = f"{larder.url}/{index}/", password or larder.password
    if tool == "devpi":
        client.devpi("use", url).ok()
        login = client.devpi("login", "root", f"--password={password}")
        return client.devpi("upload", *paths) if login.code == 0 else login
    if tool == "uv":
        return client.uv_publish(url, "root", password, *paths)
    return client.twine(url, "root", password, *paths)


@pytest.mark.parametrize("tool", ["twine", "uv", "devpi"])
@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_an_upload_is_installed_on_the_next_request(tool, installer, larder, new_client):
    files = [wheel("mine", "1.0"), sdist("mine", "1.0")]
    sender, user = new_client(), new_client()
    assert getattr(user, f"{installer}_install")(simple(larder, DEV), "mine").failed()
    send(sender, larder, tool, PUBLIC, *(dist.write(sender.work / "dist") for dist in files)).ok()
    installed = getattr(user, f"{installer}_install")(simple(larder, DEV), "mine").ok()
    assert installed.versions == {"mine": "1.0"}
    assert set(larder.files(DEV, "mine")) == {dist.filename for dist in files}


def test_app_dev_inherits_the_stage_and_the_mirror(larder, upstream, client):
    upstream.add(wheel("beta", "2.1"))
    path = wheel("mine", "1.0", requires=["beta"]).write(client.work)
    send(client, larder, "twine", PUBLIC, path).ok()
    installed = client.pip_install(simple(larder, DEV), "mine").ok()
    assert installed.versions == {"mine": "1.0", "beta": "2.1"}


def test_a_private_name_and_the_mirrors_are_one_project_where_the_whitelist_says_so(larder, upstream, client):
    upstream.add(wheel("both", "2.0"))
    make_index(larder, "closed", bases=["root/pypi"], mirror_whitelist=[])
    for index in (PUBLIC, "root/closed"):
        send(client, larder, "twine", index, wheel("both", "1.0").write(client.work)).ok()
    open_one = client.pip_install(simple(larder, PUBLIC), "both").ok()
    assert open_one.versions == {"both": "2.0"}
    guarded = client.pip_install(simple(larder, "root/closed"), "both").ok()
    assert guarded.versions == {"both": "1.0"}


@pytest.mark.parametrize("tool", ["twine", "uv", "devpi"])
def test_the_same_file_again_is_no_failure(tool, larder, client):
    make_index(larder, "final", volatile=False)
    path = wheel("mine", "1.0").write(client.work)
    send(client, larder, tool, "root/final", path).ok()
    send(client, larder, tool, "root/final", path).ok()


@pytest.mark.parametrize("tool", ["twine", "uv", "devpi"])
def test_other_bytes_for_a_final_file_are_refused_in_words_the_client_prints(tool, larder, client):
    make_index(larder, "final", volatile=False)
    first = wheel("mine", "1.0")
    send(client, larder, tool, "root/final", first.write(client.work)).ok()
    other = wheel("mine", "1.0", summary="other")
    refused = send(client, larder, tool, "root/final", other.write(client.work)).failed()
    refused.says("409", "mine-1.0-py3-none-any.whl already exists")
    assert larder.http(None).get(larder.files("root/final", "mine")[first.filename]).content == first.content


def test_other_bytes_replace_the_file_of_a_volatile_index(larder, client):
    old, new = wheel("mine", "1.0"), wheel("mine", "1.0", summary="other")
    for dist in (old, new):
        send(client, larder, "twine", PUBLIC, dist.write(client.work)).ok()
    url = larder.files(PUBLIC, "mine")[new.filename]
    assert larder.http(None).get(url).content == new.content


def test_uv_skips_what_the_check_url_already_has(larder, client):
    make_index(larder, "final", volatile=False)
    path = wheel("mine", "1.0").write(client.work)
    check = ("--check-url", simple(larder, "root/final"))
    publish = f"{larder.url}/root/final/"
    client.uv_publish(publish, "root", larder.password, path, more=check).ok()
    again = client.uv_publish(publish, "root", larder.password, path, more=check).ok()
    again.says("already exists")


def test_a_login_token_stands_for_the_password_in_every_uploader(larder, client):
    reply = larder.http(None).post(
        f"{larder.url}/+login", json={"user": "root", "password": larder.password}
    )
    token = reply.json()["result"]["password"]
    for tool, version in (("twine", "1.0"), ("uv", "1.1")):
        path = wheel("mine", version).write(client.work)
        send(client, larder, tool, PUBLIC, path, password=token).ok()
    assert len(larder.files(PUBLIC, "mine")) == 2


@pytest.mark.parametrize("tool", ["twine", "uv", "devpi"])
def test_a_wrong_password_is_named_and_changes_nothing(tool, larder, client):
    path = wheel("mine", "1.0").write(client.work)
    refused = send(client, larder, tool, PUBLIC, path, password="wrong").failed()
    refused.says("401")
    if tool == "devpi":
        refused.says("user 'root' could not be authenticated")
    assert larder.page(PUBLIC, "mine") is None


def test_uploading_to_a_mirror_is_refused_in_words(larder, client):
    path = wheel("mine", "1.0").write(client.work)
    send(client, larder, "twine", "root/pypi", path).failed().says("cannot submit to mirror index")


def test_a_file_is_served_under_its_digest_in_devpis_layout(larder, client):
    dist = wheel("mine", "1.0")
    send(client, larder, "twine", PUBLIC, dist.write(client.work)).ok()
    digest = dist.sha256
    path = f"/root/public/+f/{digest[:3]}/{digest[3:16]}/{dist.filename}"
    assert larder.files(DEV, "mine") == {dist.filename: larder.url + path}
    for escaped in (path, path.replace("+f", "%2Bf")):
        reply = larder.http(None).get(larder.url + escaped)
        assert (reply.status_code, reply.content) == (200, dist.content)
        assert "immutable" in reply.headers["cache-control"]
    part = larder.http(None).get(larder.url + path, headers={"range": "bytes=5-9"})
    assert (part.status_code, part.content) == (206, dist.content[5:10])


def test_a_lying_digest_stores_nothing(larder):
    dist = wheel("mine", "1.0")
    reply = larder.upload(PUBLIC, dist, sha256_digest="0" * 64)
    assert reply.status_code == 400, reply.reason
    assert larder.page(PUBLIC, "mine") is None


def test_a_new_version_is_seen_by_a_client_that_has_the_old_page_cached(larder, client):
    for version in ("1.0", "1.1"):
        send(client, larder, "twine", PUBLIC, wheel("mine", version).write(client.work)).ok()
        installed = client.pip_install(simple(larder, DEV), "mine").ok()
        assert installed.versions == {"mine": version}
