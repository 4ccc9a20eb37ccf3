"""`devpi use`, login and logoff: what they say, what they write, and that other tools obey it."""

import json
import venv

import pytest

from harness.dists import wheel

# what is tried here is the client and a handful of documents, whatever keeps them
pytestmark = pytest.mark.pairs("sqlite-files")


def simple(larder, index):
    return f"{larder.url}/{index}/+simple/"


def state(client):
    """What the client remembers of the server."""
    return json.loads((client.home / ".devpi/client/current.json").read_text())


@pytest.fixture
def private(larder):
    """An index that alice alone may read, with `secret` 1.0."""
    larder.json("/alice", method="PUT", json={"password": "secret123"})
    larder.json("/alice/priv", method="PUT", json={"acl_read": "alice", "acl_upload": "alice,root"})
    larder.upload("alice/priv", wheel("secret", "1.0")).raise_for_status()
    return f"{larder.url}/alice/priv"


def test_a_server_an_index_and_a_name_of_my_own_can_be_used(larder, client):
    server = client.devpi("use", larder.url + "/").ok()
    server.says(f"using server: {larder.url}/ (not logged in)", "no current index")
    index = client.devpi("use", larder.url + "/root/public/").ok()
    index.says(f"current devpi index: {larder.url}/root/public (not logged in)")
    index.says("supported features: ", "server-keyvalue-parsing").omits("redirected", "WARN")
    client.devpi("use", "app/dev").ok().says(f"{larder.url}/app/dev (not logged in)")
    client.devpi("login", "root", f"--password={larder.password}").ok()
    client.devpi("use", "public").ok().says(f"{larder.url}/root/public (logged in as root)")
    client.devpi("use").ok().says(f"{larder.url}/root/public (logged in as root)")
    known = state(client)
    assert known["index"] == f"{larder.url}/root/public"
    assert known["simpleindex"] == simple(larder, "root/public")
    assert known["login"] == f"{larder.url}/+login"


def test_the_urls_of_a_stage_and_of_a_mirror(larder, client):
    client.devpi("use", larder.url + "/root/public").ok()
    client.devpi("use", "--urls").ok().says(
        f"login: {larder.url}/+login\n", f"pypisubmit: {larder.url}/root/public/\n",
        f"simpleindex: {larder.url}/root/public/+simple/\n",
    )
    client.devpi("use", "--urls", "root/pypi").ok().says(
        "pypisubmit: None\n", f"simpleindex: {larder.url}/root/pypi/+simple/\n"
    )


def test_indexes_are_listed_for_everybody_or_for_one_user(larder, client):
    client.devpi("use", larder.url).ok()
    shown = [line.split() for line in client.devpi("use", "-l").ok().lines if "bases=" in line]
    assert sorted(shown) == [
        ["app/dev", "bases=root/public", "volatile=True"],
        ["root/public", "bases=root/pypi", "volatile=True"],
        ["root/pypi", "bases=", "volatile=False"],
    ]
    client.devpi("use", "-l", "-u", "app").ok().says("app/dev").omits("\nroot/")
    client.devpi("use", "-l", "-u", "nobody").failed().says("404 Not Found: no user 'nobody'")
    client.devpi("use", "-l", larder.url + "/app/dev").ok().says("root/pypi")


def test_what_is_not_there_is_named_and_not_remembered(larder, client):
    client.devpi("use", larder.url + "/root/public").ok()
    missing = client.devpi("use", "root/nowhere").failed()
    missing.says("404 Not Found: The stage root/nowhere could not be found.")
    client.devpi("use", "http://127.0.0.1:1/root/public").failed().says("could not connect")
    client.devpi("use").ok().says(f"{larder.url}/root/public")
    client.devpi("use", "--delete").ok().says("REMOVED configuration")
    client.devpi("use").ok().says("no server: type 'devpi use URL'")
    client.devpi("list").failed().says("not connected to an index")


def test_set_cfg_configures_pip_uv_and_the_others(larder, client):
    larder.upload("root/public", wheel("mine", "1.0")).raise_for_status()
    written = client.devpi("use", larder.url + "/app/dev", "--set-cfg").ok()
    for name in (".config/pip/pip.conf", ".config/uv/uv.toml", ".pydistutils.cfg", ".buildout/default.cfg"):
        written.says(f"{client.home}/{name}: {simple(larder, 'app/dev')}\n")
    pip_conf = (client.home / ".config/pip/pip.conf").read_text()
    assert f"index_url = {simple(larder, 'app/dev')}\n" in pip_conf
    assert "trusted-host = 127.0.0.1\n" in pip_conf
    assert f"[search]\nindex = {larder.url}/app/dev/\n" in pip_conf
    assert client.pip_install_configured("mine").ok().versions == {"mine": "1.0"}
    assert client.uv_install_configured("mine").ok().versions == {"mine": "1.0"}

    client.devpi("use", "root/pypi", "--set-cfg", "-t", "no").ok()
    pip_conf = (client.home / ".config/pip/pip.conf").read_text()
    assert f"index_url = {simple(larder, 'root/pypi')}\n" in pip_conf
    assert "trusted-host" not in pip_conf
    assert client.pip_install_configured("mine").failed()


def test_always_set_cfg_holds_until_it_is_taken_back(larder, client):
    client.configure_pip("[global]\ntimeout = 17\n")
    client.devpi("use", larder.url + "/root/public").ok().says("always-set-cfg: no")
    client.devpi("use", "--always-set-cfg=yes").ok().says("always-set-cfg: yes")
    client.devpi("use", "app/dev").ok().says(f"pip.conf: {simple(larder, 'app/dev')}")
    client.devpi("use", "--always-set-cfg=no").ok().says("always-set-cfg: no")
    client.devpi("use", "root/pypi").ok().says(f"pip.conf: {simple(larder, 'app/dev')}")
    pip_conf = (client.home / ".config/pip/pip.conf").read_text()
    assert "timeout = 17\n" in pip_conf and simple(larder, "app/dev") in pip_conf


def test_a_virtual_environment_gets_a_configuration_of_its_own(larder, client):
    venv.create(client.work / "env", with_pip=False)
    client.devpi("use", larder.url + "/root/public").ok()
    used = client.devpi("use", "--venv", "env", "--set-cfg", "app/dev").ok()
    used.says("venv for install/set commands: ", "only setting venv pip/uv config")
    assert simple(larder, "app/dev") in (client.work / "env/pip.conf").read_text()
    assert simple(larder, "app/dev") in (client.work / "env/uv.toml").read_text()
    assert not (client.home / ".config/pip/pip.conf").exists()
    client.devpi("use", "--venv", "-").ok().omits("venv for install/set")

    active = {"VIRTUAL_ENV": str(client.work / "env")}
    client.devpi("use", "--local", "root/pypi", **active).ok().says("Creating local configuration")
    client.devpi("use", **active).ok().says(f"{larder.url}/root/pypi")
    client.devpi("use").ok().says(f"{larder.url}/app/dev")


def test_variables_name_the_index_and_the_user(larder, client):
    client.devpi("use", larder.url + "/root/public").ok()
    for user in ("alice", "bob"):
        larder.json(f"/{user}", method="PUT", json={"password": "secret123"})
        client.devpi("login", user, "--password=secret123").ok()
    client.devpi("use").ok().says("logged in as bob")
    client.devpi("use", DEVPI_USER="alice").ok().says("logged in as alice")
    larder.upload("root/public", wheel("mine", "1.0")).raise_for_status()
    client.devpi("list", DEVPI_INDEX="app/dev").ok().omits("mine")
    client.devpi("list", DEVPI_INDEX=f"{larder.url}/root/public").ok().says("mine")
    client.devpi("use", "-u", "alice").ok().says("logged in as alice")


def test_login_and_logoff(larder, client):
    client.devpi("login", "root", "--password=x").failed().says("not connected to a server")
    client.devpi("use", larder.url).ok()
    wrong = client.devpi("login", "root", "--password=wrong").failed()
    wrong.says(f"POST {larder.url}/+login", "401", "user 'root' could not be authenticated")
    unknown = client.devpi("login", "nobody", "--password=wrong").failed()
    unknown.says("401", "user 'nobody' could not be authenticated")
    asked = client.answer([larder.password], "devpi", "login", "root").ok()
    asked.says("password for user root at", "logged in 'root', credentials valid for 10.00 hours")
    client.devpi("use", "root/public").ok().says("logged in as root")
    client.devpi("login", "root", f"--password={larder.password}").ok().says(
        f"logged in 'root' at '{larder.url}/root/public', credentials valid for 10.00 hours"
    )
    client.devpi("logoff").ok().says("login information deleted")
    client.devpi("logout").ok().says("not logged in")
    client.devpi("use").ok().says("not logged in")
    client.devpi("index", "-c", "root/more").failed().says("you need to be logged in")


def test_a_login_that_ended_is_noticed_and_forgotten(larder, client):
    larder.json("/alice", method="PUT", json={"password": "secret123"})
    client.devpi("use", larder.url + "/root/public").ok()
    client.devpi("login", "alice", "--password=secret123").ok()
    larder.json("/alice", method="PATCH", json={"password": "another123"})
    refused = client.devpi("index", "-c", "alice/dev").failed()
    refused.says(f"PUT {larder.url}/alice/dev", "401 Unauthorized", "log in again")
    # reading what everybody may read goes on
    client.devpi("list").ok()
    client.devpi("use").ok().says("not logged in")
    client.devpi("login", "alice", "--password=another123").ok()
    client.devpi("index", "-c", "alice/dev").ok()


def test_a_private_index_asks_a_stranger_to_log_in(larder, client, private):
    larder.json("/alice/open", method="PUT", json={"bases": "alice/priv"})
    used = client.devpi("use", private).ok()
    used.says("403 Forbidden: index alice/priv is not public: log in first")
    used.says("You might have to login first to access this index.")
    client.devpi("index").failed().says("you need to be logged in (use 'devpi login USER')")
    client.devpi("list").failed().says("index alice/priv is not public: log in first")
    client.devpi("list", "secret").failed().says("log in first").omits("1.0")
    client.devpi("use", "-l").ok().says("alice/open").omits("alice/priv")

    client.devpi("login", "alice", "--password=secret123").ok().omits("Forbidden")
    client.devpi("use").ok().says(f"{private} (logged in as alice)").omits("Forbidden")
    client.devpi("use", "-l").ok().says("alice/priv")
    client.devpi("list", "secret").ok().says("secret-1.0-py3-none-any.whl")


def test_a_private_index_refuses_another_user(larder, client, private):
    larder.json("/bob", method="PUT", json={"password": "secret123"})
    client.devpi("use", larder.url).ok()
    client.devpi("login", "bob", "--password=secret123").ok()
    used = client.devpi("use", private).ok()
    used.says("403 Forbidden: user 'bob' has no permission to read index alice/priv")
    used.says("You don't have permission to access this index.")
    client.devpi("list").failed().says("403")
    client.devpi("index", "-c", "mine", "bases=alice/priv").failed().says(
        "400 Bad Request: base index 'alice/priv' does not exist"
    )


def test_credentials_in_the_url_are_written_for_pip_and_uv(larder, client, private):
    url = private.replace("http://", "http://alice:secret123@")
    used = client.devpi("use", url, "--set-cfg").ok()
    used.says("Using basic authentication for", "alice:****@").omits("secret123")
    client.devpi("list", "secret").ok().says("secret-1.0-py3-none-any.whl")
    assert client.pip_install_configured("secret").ok().versions == {"secret": "1.0"}
    assert client.uv_install_configured("secret").ok().versions == {"secret": "1.0"}


def test_the_version_of_the_client_and_of_the_server(larder, client):
    client.devpi("--version").ok().says("devpi-client 7.3.0").omits("devpi-server")
    client.devpi("use", larder.url).ok()
    shown = client.devpi("--version").ok()
    shown.says(f"current devpi server: {larder.url}/", "devpi-server ", "larder ")
