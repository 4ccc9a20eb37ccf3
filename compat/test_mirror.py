"""The cache: installing from the mirror cold, warm, and with the upstream gone."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from harness.dists import noise, wheel

MIRROR = "/root/pypi/+simple/"


def install(client, installer, url, *requirements):
    return getattr(client, f"{installer}_install")(url, *requirements)


@pytest.fixture
def stocked(upstream):
    """An upstream with two projects, one of which needs the other."""
    dists = [wheel("alpha", "1.0", requires=["beta>=2"]), wheel("beta", "1.0"), wheel("beta", "2.1")]
    upstream.add(*dists)
    return dists


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_installing_cold_warm_and_without_the_upstream(installer, larder, upstream, stocked, new_client):
    expected = {"alpha": "1.0", "beta": "2.1"}
    cold = install(new_client(), installer, larder.url + MIRROR, "alpha").ok()
    assert cold.versions == expected
    assert upstream.file_hits(stocked[0]) == 1
    assert upstream.file_hits(stocked[2]) == 1
    assert upstream.file_hits(stocked[1]) == 0, "an old version was fetched for nothing"

    pages = upstream.hits("/simple/alpha") + upstream.hits("/simple/beta")
    warm = install(new_client(), installer, larder.url + MIRROR, "alpha").ok()
    assert warm.versions == expected
    assert upstream.file_hits(stocked[0]) == 1
    assert upstream.hits("/simple/alpha") + upstream.hits("/simple/beta") == pages

    upstream.down()
    gone = install(new_client(), installer, larder.url + MIRROR, "alpha").ok()
    assert gone.versions == expected


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_what_was_fetched_outlives_a_restart_without_the_upstream(
    installer, larder, upstream, stocked, new_client
):
    install(new_client(), installer, larder.url + MIRROR, "alpha").ok()
    upstream.down()
    larder.restart("--mirror-cache-expiry", "0")
    again = install(new_client(), installer, larder.url + MIRROR, "alpha").ok()
    assert again.versions == {"alpha": "1.0", "beta": "2.1"}


def test_an_expired_page_is_asked_for_again_and_shows_what_is_new(new_larder, upstream, client):
    upstream.add(wheel("gamma", "1.0"))
    larder = new_larder("--mirror-cache-expiry", "0").start()
    assert client.pip_install(larder.url + MIRROR, "gamma").ok().versions == {"gamma": "1.0"}
    upstream.add(wheel("gamma", "1.1"))
    assert client.pip_install(larder.url + MIRROR, "gamma").ok().versions == {"gamma": "1.1"}


def test_a_page_within_its_expiry_is_not_asked_for_again(larder, upstream, client):
    upstream.add(wheel("gamma", "1.0"))
    client.pip_install(larder.url + MIRROR, "gamma").ok()
    upstream.add(wheel("gamma", "1.1"))
    assert client.pip_install(larder.url + MIRROR, "gamma").ok().versions == {"gamma": "1.0"}


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_a_project_that_does_not_exist_is_a_plain_miss(installer, larder, new_client):
    outcome = install(new_client(), installer, larder.url + MIRROR, "no-such-project").failed()
    words = "No matching distribution" if installer == "pip" else "not found in the package registry"
    outcome.says(words)
    assert requests.get(f"{larder.url}{MIRROR}no-such-project/", timeout=10).status_code == 404


def test_a_project_never_seen_is_not_a_miss_while_the_upstream_is_down(larder, upstream):
    upstream.add(wheel("gamma", "1.0"))
    upstream.down()
    reply = requests.get(f"{larder.url}{MIRROR}gamma/", timeout=30)
    assert reply.status_code == 502, reply.text
    upstream.up()
    # an upstream that failed is left alone for some seconds
    limit = time.monotonic() + 20
    while (reply := requests.get(f"{larder.url}{MIRROR}gamma/", timeout=30)).status_code == 502:
        assert time.monotonic() < limit, "the upstream is up again, and nobody asks it"
        time.sleep(0.2)
    assert reply.status_code == 200


def test_many_clients_on_one_cold_file_cost_one_download(larder, upstream):
    big = wheel("heavy", "1.0", payload=noise(6 << 20, "heavy"))
    upstream.add(big)
    url = larder.files("root/pypi", "heavy")[big.filename]
    with ThreadPoolExecutor(16) as pool:
        bodies = list(pool.map(lambda _: requests.get(url, timeout=60).content, range(16)))
    assert all(body == big.content for body in bodies)
    assert upstream.file_hits(big) == 1


def test_the_metadata_beside_a_wheel_is_served_byte_for_byte(larder, upstream):
    dist = wheel("gamma", "1.0")
    upstream.add(dist)
    page = larder.page("root/pypi", "gamma")
    announced = page["files"][0].get("core-metadata")
    assert announced, page
    reply = requests.get(larder.files("root/pypi", "gamma")[dist.filename] + ".metadata", timeout=10)
    assert reply.status_code == 200
    assert reply.content.startswith(b"Metadata-Version: 2.1\nName: gamma\n")
    assert upstream.file_hits(dist) == 0, "the whole wheel was fetched for its metadata"


def test_pip_with_a_hash_lock_installs_through_the_cache(larder, upstream, client):
    dist = wheel("gamma", "1.0")
    upstream.add(dist)
    lock = client.work / "lock.txt"
    lock.write_text(f"gamma==1.0 --hash=sha256:{dist.sha256}\n")
    client.pip_install(larder.url + MIRROR, "--require-hashes", "-r", lock).ok()


def test_installers_also_work_on_the_index_url_without_simple(larder, upstream, client):
    upstream.add(wheel("gamma", "1.0"))
    assert client.pip_install(larder.url + "/root/pypi/", "gamma").ok().versions == {"gamma": "1.0"}


def test_a_client_that_leaves_does_not_end_the_download(new_larder, upstream):
    larder = new_larder("--request-timeout", "60").start()
    dist = wheel("heavy", "1.0", payload=noise(2 << 20, "heavy"))
    upstream.add(dist)
    url = larder.files("root/pypi", "heavy")[dist.filename]
    upstream.fault(upstream.file_path(dist), {"stall_after": 1 << 20})
    with requests.get(url, stream=True, timeout=30) as reply:
        reply.raw.read(1 << 16)
    upstream.clear()
    assert requests.get(url, timeout=30).content == dist.content
    assert upstream.file_hits(dist) == 1


@pytest.mark.parametrize("fault", ["wrong_bytes", {"cut_after": 1 << 20}])
def test_a_wrong_or_broken_body_is_never_complete(fault, larder, upstream, new_client):
    dist = wheel("heavy", "1.0", payload=noise(2 << 20, "heavy"))
    upstream.add(dist)
    upstream.fault(upstream.file_path(dist), fault)
    new_client().pip_install(larder.url + MIRROR, "heavy").failed()
    upstream.clear()
    # a source that failed may be left alone for a while, but never served as if it were whole
    reply = requests.get(larder.files("root/pypi", "heavy")[dist.filename], timeout=30)
    assert reply.status_code == 502 or reply.content == dist.content
