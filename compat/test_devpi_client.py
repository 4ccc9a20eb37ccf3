"""devpi-client's commands, one after the other, as people type them."""

from harness.dists import sdist, wheel


def test_use_shows_what_the_server_is(larder, client):
    client.devpi("use", larder.url).ok().says(f"using server: {larder.url}")
    listed = client.devpi("use", "-l").ok()
    listed.says("root/pypi", "root/public", "app/dev")
    client.devpi("use", "root/public").ok().says(f"{larder.url}/root/public")
    client.devpi("use", "root/pypi").ok().says(f"{larder.url}/root/pypi")
    client.devpi("use", "root/nowhere").failed()


def test_login_logoff_and_a_wrong_password(larder, client):
    client.devpi("use", larder.url).ok()
    wrong = client.devpi("login", "root", "--password=wrong").failed()
    wrong.says("401", "user 'root' could not be authenticated")
    client.devpi("login", "root", f"--password={larder.password}").ok()
    client.devpi("logoff").ok().says("login information deleted")


def test_users_are_created_changed_listed_and_deleted(devpi, larder, new_client):
    devpi("user", "-c", "alice", "password=secret", "email=alice@example.com").ok()
    devpi("user", "-c", "alice", "password=secret").failed().says("409", "user already exists")
    devpi("user", "-l").ok().says("alice", "app", "root")
    devpi("user", "alice").ok().says("email=alice@example.com")
    devpi("user", "-m", "alice", "email=a@example.com", "title=Boss").ok()
    devpi("user", "alice").ok().says("email=a@example.com", "title=Boss")

    alice = new_client()
    alice.devpi("use", larder.url).ok()
    alice.devpi("login", "alice", "--password=secret").ok()
    devpi("user", "-m", "alice", "password=changed").ok()
    alice.devpi("login", "alice", "--password=secret").failed()
    alice.devpi("login", "alice", "--password=changed").ok()

    devpi("user", "--delete", "alice", "-y").ok()
    devpi("user", "alice").failed().says("404")
    devpi("user", "--delete", "root", "-y").failed().says("403")


def test_a_stranger_may_not_sign_up_or_change_others(larder, client, devpi, new_client):
    devpi("user", "-c", "alice", "password=secret").ok()
    stranger = new_client()
    stranger.devpi("use", larder.url).ok()
    stranger.devpi("user", "-c", "mallory", "password=x").failed().says("403")
    stranger.devpi("login", "alice", "--password=secret").ok()
    stranger.devpi("index", "-c", "root/mine").failed()
    stranger.devpi("user", "-m", "root", "password=x").failed()


def test_indexes_are_created_changed_listed_and_deleted(devpi):
    created = devpi("index", "-c", "root/team", "bases=root/public,root/pypi", "volatile=False").ok()
    created.says("type=stage", "bases=root/public,root/pypi", "volatile=False", "acl_upload=root")
    devpi("index", "-c", "root/team").failed().says("409", "index 'root/team' exists")
    devpi("index", "-l").ok().says("root/team", "root/public")

    devpi("index", "root/team", "title=The team", "acl_upload+=alice").ok()
    devpi("index", "root/team").ok().says("title=The team", "acl_upload=root,alice")
    devpi("index", "root/team", "acl_upload-=alice", "bases=root/public").ok()
    devpi("index", "root/team").ok().says("acl_upload=root\n", "bases=root/public\n")

    devpi("index", "root/team", "colour=red").failed().says(
        "400", "indexconfig got unexpected keyword arguments: colour=red"
    )
    devpi("index", "root/team", "bases=no/such").failed().says("base index 'no/such' does not exist")
    devpi("index", "--delete", "root/team", "-y").failed().says("403")
    devpi("index", "root/team", "volatile=True").ok()
    devpi("index", "--delete", "root/team", "-y").ok()
    devpi("index", "root/team").failed()
    devpi("getjson", "/root/team").failed().says("404")


def test_a_mirror_is_created_and_its_password_is_not_shown(devpi, larder, upstream, client):
    upstream.add(wheel("beta", "1.0"))
    url = upstream.url.replace("http://", "http://me:hidden@")
    made = devpi("index", "-c", "root/other", "type=mirror", f"mirror_url={url}").ok()
    assert "hidden" not in made.output
    assert "hidden" not in devpi("index", "root/other").ok().output
    installed = client.pip_install(f"{larder.url}/root/other/+simple/", "beta").ok()
    assert installed.versions == {"beta": "1.0"}


def test_uploads_are_listed_and_removed(devpi, larder, client):
    for dist in (wheel("mine", "1.0"), sdist("mine", "1.0"), wheel("mine", "1.1"), wheel("more", "2.0")):
        dist.write(client.work / "dist")
    uploaded = devpi("upload", "--from-dir", "dist").ok()
    uploaded.says("mine-1.0-py3-none-any.whl", "mine-1.0.tar.gz", "more-2.0-py3-none-any.whl")
    devpi("list").ok().says("mine", "more")
    devpi("list", "-v", "mine").ok().says(f"{larder.url}/root/public/+f/")
    devpi("list", "--all", "mine").ok().says("mine-1.0.tar.gz", "mine-1.1-py3-none-any.whl")

    devpi("remove", "-y", "mine==1.0").ok()
    assert set(larder.files("root/public", "mine")) == {"mine-1.1-py3-none-any.whl"}
    devpi("remove", "-y", "mine").ok()
    assert larder.page("root/public", "mine") is None
    assert larder.page("root/public", "more") is not None


def test_removing_from_a_final_index_needs_force(devpi, larder, client):
    devpi("index", "-c", "root/final", "volatile=False").ok()
    devpi("use", "root/final").ok()
    devpi("upload", wheel("mine", "1.0").write(client.work)).ok()
    devpi("remove", "-y", "mine==1.0").failed().says("403")
    assert larder.page("root/final", "mine") is not None
    devpi("remove", "-y", "-f", "mine==1.0").ok()
    assert larder.page("root/final", "mine") is None


def test_getjson_prints_the_documents(devpi, client):
    devpi("upload", wheel("mine", "1.0", summary="What it is").write(client.work)).ok()
    devpi("getjson", "/root/public").ok().says('"type": "indexconfig"', '"mirror_whitelist"', '"mine"')
    devpi("getjson", "/root/public/mine/1.0").ok().says('"summary": "What it is"', '"+links"')
    devpi("getjson", "/+api").ok().says('"features"', '"authstatus"')


def test_an_inherited_project_is_shown_but_not_removed(devpi, larder, client):
    devpi("upload", wheel("mine", "1.0").write(client.work)).ok()
    devpi("index", "-c", "root/upper", "bases=root/public").ok()
    devpi("use", "root/upper").ok()
    devpi("list", "mine").ok().says("root/public")
    devpi("remove", "-y", "mine")
    assert larder.page("root/public", "mine") is not None


def test_a_refresh_fetches_the_page_again(devpi, larder, upstream):
    upstream.add(wheel("beta", "1.0"))
    assert len(larder.files("root/public", "beta")) == 1
    upstream.add(wheel("beta", "1.1"))
    assert len(larder.files("root/public", "beta")) == 1
    devpi("refresh", "beta").ok()
    assert len(larder.files("root/public", "beta")) == 2


def test_the_client_asks_for_the_servers_version(devpi):
    devpi("--version").ok()
