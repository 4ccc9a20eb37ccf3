"""Fixtures: a place on each pair, an upstream, a running Larder, clients with empty homes."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from harness.clients import Client  # noqa: E402
from harness.places import PAIRS, Place  # noqa: E402
from harness.processes import FakeIndex, Larder  # noqa: E402


def pytest_generate_tests(metafunc):
    if "pair" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("pairs")
        metafunc.parametrize("pair", marker.args if marker else PAIRS)


@pytest.fixture
def place(pair, tmp_path):
    return Place(tmp_path / "place", pair)


@pytest.fixture
def new_place(pair, tmp_path):
    """Makes further places of the same pair, sharing nothing."""
    return lambda name: Place(tmp_path / name, pair)


@pytest.fixture
def upstream(tmp_path):
    index = FakeIndex(tmp_path / "upstream")
    yield index
    index.stop()


@pytest.fixture
def new_larder(place, upstream):
    """Makes Larders on this test's place, not yet started; all are ended with the test."""
    made = []

    def make(*arguments, on=None, upstream=upstream, **options):
        node = Larder(on or place, *arguments, upstream=upstream, **options)
        made.append(node)
        return node

    yield make
    for node in made:
        if node.process is not None:
            node.kill()


@pytest.fixture
def larder(new_larder):
    return new_larder().start()


@pytest.fixture
def new_client(tmp_path):
    """Makes clients that know nothing of each other: empty homes, cold caches."""
    count = 0

    def make():
        nonlocal count
        count += 1
        return Client(tmp_path / f"home-{count}")

    return make


@pytest.fixture
def client(new_client):
    return new_client()


@pytest.fixture
def devpi(larder, client):
    """devpi-client, logged in as root and using root/public."""
    client.devpi("use", larder.url).ok()
    client.devpi("login", "root", f"--password={larder.password}").ok().says("logged in 'root'")
    client.devpi("use", "root/public").ok()
    return client.devpi


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what the servers said."""
    report = (yield).get_result()
    if report.when == "call" and report.failed:
        node = item.funcargs.get("larder")
        if node is not None and node.process is not None:
            report.sections.append(("larder's log", node.log[-6000:]))
