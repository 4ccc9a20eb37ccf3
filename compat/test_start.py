"""Starting: quickly, on nothing, with a password that nobody guesses, and only once per folder."""

import re

import pytest
import requests

from harness.dists import wheel
from harness.processes import StartError

LOG_IN = "/+login"


def logs_in(larder, password):
    reply = requests.post(larder.url + LOG_IN, json={"user": "root", "password": password}, timeout=30)
    assert reply.status_code in (200, 401), reply.text
    return reply.status_code == 200


@pytest.mark.pairs("sqlite-files")
def test_an_empty_folder_is_served_after_300_ms_of_work(larder):
    """The processor's time, since other tests keep this machine busy; the bench takes the clock's."""
    spent = larder.process.processor_secs()
    assert requests.get(larder.url + "/+api", timeout=10).status_code == 200
    assert spent < 0.3, spent


def test_the_first_start_makes_three_indexes(larder):
    everything = larder.json("/")
    names = {f"{user}/{index}" for user, config in everything.items() for index in config["indexes"]}
    assert names == {"root/pypi", "root/public", "app/dev"}
    mirror = everything["root"]["indexes"]["pypi"]
    assert (mirror["type"], mirror["volatile"]) == ("mirror", False)


def test_no_root_pypi_leaves_the_mirror_out(new_larder):
    node = new_larder("--no-root-pypi").start()
    assert "pypi" not in node.json("/")["root"]["indexes"]


def test_the_password_comes_from_the_environment(new_larder):
    node = new_larder(password="from the environment").start()
    assert logs_in(node, "from the environment")
    assert "from the environment" not in node.log


def test_the_password_comes_from_a_file(new_larder, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("from a file\n")
    secret.chmod(0o600)
    node = new_larder(password=None, environment={"DEVPI_PASSWORD_FILE": str(secret)}).start()
    assert logs_in(node, "from a file")
    assert "from a file" not in node.log


def test_the_password_comes_from_the_option(new_larder):
    node = new_larder("--root-passwd", "from the option", password=None).start()
    assert logs_in(node, "from the option")


@pytest.mark.parametrize("given", [None, ""])
def test_without_a_password_a_strong_one_is_printed_once(new_larder, given):
    node = new_larder(password=given).start()
    assert not logs_in(node, "")
    words = re.findall(r"[A-Za-z0-9_-]{16,}", node.log)
    made = [word for word in words if logs_in(node, word)]
    assert len(made) == 1, node.log
    node.restart()
    assert made[0] not in node.log
    assert logs_in(node, made[0])


def test_an_empty_password_only_when_asked_for_and_with_a_warning(new_larder):
    node = new_larder("--root-passwd", "", password=None).start()
    assert logs_in(node, "")
    assert "WARN" in node.log and "empty password" in node.log.lower(), node.log


def test_a_later_start_with_another_password_changes_nothing_and_says_so(new_larder):
    node = new_larder(password="the first one").start()
    node.restart(environment={"DEVPI_PASSWORD": "another one"})
    assert logs_in(node, "the first one")
    assert not logs_in(node, "another one")
    assert node.log.count("changes nothing") == 1, node.log
    node.restart()
    assert "changes nothing" not in node.log, node.log


def test_a_restart_keeps_everything(larder, upstream, client):
    upstream.add(wheel("beta", "2.1"))
    simple = f"{larder.url}/app/dev/+simple/"
    larder.upload("root/public", wheel("mine", "1.0"))
    larder.json("/alice", method="PUT", json={"password": "secret", "email": "a@example.com"})
    larder.json("/alice/dev", method="PUT", json={"bases": ["root/public"], "title": "Hers"})
    client.devpi("use", f"{larder.url}/root/public").ok()
    client.devpi("login", "root", f"--password={larder.password}").ok()
    client.pip_install(simple, "mine", "beta").ok()
    before = larder.json("/"), larder.page("root/public", "mine")

    larder.restart()
    upstream.down()
    assert (larder.json("/"), larder.page("root/public", "mine")) == before
    assert client.pip_install(simple, "mine", "beta").ok().versions == {"mine": "1.0", "beta": "2.1"}
    client.devpi("upload", wheel("mine", "1.1").write(client.work)).ok()


def test_two_processes_on_one_folder_are_refused_with_a_sentence(larder, new_larder):
    second = new_larder()
    with pytest.raises(StartError) as refused:
        second.start()
    assert refused.value.code not in (0, None)
    assert "another" in refused.value.log and str(larder.place.serverdir) in refused.value.log
    assert larder.json("/") is not None, "the first one suffered"
    larder.stop()
    second.start()


def test_a_port_in_use_is_refused_with_a_sentence(larder, new_larder, new_place):
    second = new_larder(on=new_place("elsewhere"))
    second.port = larder.port
    with pytest.raises(StartError) as refused:
        second.start()
    assert str(larder.port) in refused.value.log
    assert "panicked" not in refused.value.log


def test_a_stop_lets_the_answer_under_way_finish(larder, upstream):
    dist = wheel("slow", "1.0", payload=bytes(1 << 20))
    larder.upload("root/public", dist)
    url = larder.files("root/public", "slow")[dist.filename]
    with requests.get(url, stream=True, timeout=30) as reply:
        first = reply.raw.read(1000)
        larder.process.popen.terminate()
        rest = reply.raw.read()
    assert first + rest == dist.content
    assert larder.stop() == 0


def test_data_and_secrets_are_for_the_owner_only(larder):
    folder = larder.place.serverdir
    assert folder.stat().st_mode & 0o077 == 0
    loose = [path for path in folder.rglob("*") if path.stat().st_mode & 0o077]
    assert not loose, loose
