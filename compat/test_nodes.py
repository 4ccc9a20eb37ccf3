"""Two nodes on one database and one file store: what one acknowledged, the other serves."""

import pytest
import requests

from harness.dists import wheel

ROUNDS = 200


@pytest.fixture
def nodes(new_larder, place):
    first = new_larder().start()
    second = new_larder(on=place.another_node("second")).start()
    return first, second


@pytest.mark.pairs("postgres-s3")
def test_an_upload_to_one_node_is_visible_at_once_on_the_other(nodes):
    session = requests.Session()
    accept = {"accept": "application/vnd.pypi.simple.v1+json"}
    missed = []
    for round_ in range(ROUNDS):
        writer, reader = nodes if round_ % 2 else reversed(nodes)
        dist = wheel("shared", f"1.{round_}")
        assert writer.upload("root/public", dist).status_code == 200
        page = session.get(f"{reader.url}/app/dev/+simple/shared/", headers=accept, timeout=30).json()
        listed = [file for file in page["files"] if file["filename"] == dist.filename]
        if not listed:
            missed.append(round_)
            continue
        assert session.get(f"{reader.url}{path_of(listed[0])}", timeout=30).content == dist.content
    assert not missed, f"{len(missed)} of {ROUNDS} missed: {missed}"


def path_of(file):
    """The file's path, from the relative link of app/dev's project page."""
    joined = requests.compat.urljoin("http://node/app/dev/+simple/shared/", file["url"])
    return joined.removeprefix("http://node")


@pytest.mark.pairs("postgres-s3")
def test_pip_installs_from_one_node_what_the_other_took(nodes, client):
    first, second = nodes
    for version in ("1.0", "1.1", "1.2"):
        client.twine(
            f"{first.url}/root/public/", "root", first.password, wheel("mine", version).write(client.work)
        ).ok()
        installed = client.pip_install(f"{second.url}/app/dev/+simple/", "mine").ok()
        assert installed.versions == {"mine": version}


@pytest.mark.pairs("postgres-s3")
def test_users_passwords_and_indexes_change_on_both_nodes_at_once(nodes):
    first, second = nodes
    first.json("/alice", method="PUT", json={"password": "one"})
    for round_ in range(10):
        body = {"user": "alice", "password": "one" if round_ == 0 else f"new {round_ - 1}"}
        login = requests.post(second.url + "/+login", json=body, timeout=30)
        assert login.status_code == 200, login.text
        first.json("/alice", method="PATCH", json={"password": f"new {round_}"})
        auth = ("alice", login.json()["result"]["password"])
        state = requests.get(second.url + "/+api", auth=auth, timeout=30).json()["result"]["authstatus"]
        assert state[0] == "noauth", "a token outlived its password on the other node"
        first.json(f"/alice/i{round_}", method="PUT", json={"bases": ["root/public"]})
        assert second.json(f"/alice/i{round_}")["bases"] == ["root/public"]


@pytest.mark.pairs("postgres-s3")
def test_a_login_at_one_node_counts_at_the_other(nodes):
    first, second = nodes
    body = {"user": "root", "password": first.password}
    token = requests.post(first.url + "/+login", json=body, timeout=30).json()["result"]["password"]
    state = requests.get(second.url + "/+api", auth=("root", token), timeout=30).json()
    assert state["result"]["authstatus"][:2] == ["ok", "root"]


@pytest.mark.pairs("postgres-s3")
def test_losing_one_node_loses_nothing(nodes):
    first, second = nodes
    dist = wheel("mine", "1.0")
    assert first.upload("root/public", dist).status_code == 200
    first.kill()
    body = requests.get(second.files("root/public", "mine")[dist.filename], timeout=30).content
    assert body == dist.content


@pytest.mark.pairs("postgres-s3")
def test_the_same_name_sent_to_both_nodes_is_won_once(nodes):
    first, second = nodes
    first.json("/root/final", method="PUT", json={"volatile": False})
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        for round_ in range(20):
            dists = [wheel("race", f"1.{round_}", summary=text) for text in ("left", "right")]
            replies = list(pool.map(lambda pair: pair[0].upload("root/final", pair[1]), zip(nodes, dists)))
            assert sorted(reply.status_code for reply in replies) == [200, 409], replies
            winner = dists[[reply.status_code for reply in replies].index(200)]
            url = second.files("root/final", "race")[winner.filename]
            assert requests.get(url, timeout=30).content == winner.content
