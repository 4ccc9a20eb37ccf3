"""The same random operations leave devpi-server and Larder with the same users, indexes, pages and releases.

`make differential SEEDS=100..200` tries other seeds than those of every run.
"""

import os
from dataclasses import replace

import pytest

from oracle.chance import Chance, described, upstream_files
from oracle.servers import devpi, larder
from oracle.views import views

STEPS = int(os.environ.get("ORACLE_STEPS", "40"))


def seeds():
    first, _, last = os.environ.get("ORACLE_SEEDS", "1..4").partition("..")
    return range(int(first), int(last or first) + 1)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", seeds())
def test_random_operations_leave_both_servers_alike(seed, template, upstream, tmp_path):
    upstream.add(*upstream_files())
    chance, done = Chance(seed), []
    with devpi(tmp_path, template) as theirs, larder(tmp_path) as ours:
        for step in range(STEPS + 1):
            for exchange in chance.next() if step else chance.start():
                done.append(described(exchange))
                exchange = _on(exchange, upstream)
                refusal = disagreement(exchange, exchange.send(theirs), exchange.send(ours))
                if refusal:
                    pytest.fail(report(seed, done, refusal), pytrace=False)
            problem = first_difference(views(theirs), views(ours))
            if problem:
                pytest.fail(report(seed, done, problem), pytrace=False)


def _on(exchange, upstream):
    if isinstance(exchange.json, dict) and exchange.json.get("mirror_url"):
        return replace(exchange, json={**exchange.json, "mirror_url": upstream.url})
    return exchange


def disagreement(exchange, theirs, ours):
    """Both do it or both refuse; how a refusal is worded and numbered is for the scripts to compare."""
    if isinstance(exchange.json, list) and theirs.status_code == 400 and ours.status_code == 200:
        return None  # the row `no-change`; if it did change something, the views tell
    if (theirs.status_code < 400) != (ours.status_code < 400) or ours.status_code >= 500:
        return f"devpi {_told(theirs)}\nLarder {_told(ours)}"
    return None


def _told(reply):
    return f"{reply.status_code} {reply.reason} {reply.text[:300]}"


def first_difference(theirs, ours):
    for name in sorted(theirs.keys() | ours.keys()):
        if theirs.get(name) != ours.get(name):
            return f"{name}\ndevpi  {theirs.get(name)}\nLarder {ours.get(name)}"
    return None


def report(seed, done, problem):
    steps = "\n".join(f"  {number}. {line}" for number, line in enumerate(done, 1))
    return f"seed {seed}: the servers differ after\n{steps}\n\n{problem}"
