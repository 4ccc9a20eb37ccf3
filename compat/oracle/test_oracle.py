"""Larder answers as devpi-server does, but for the differences in the table."""

import importlib
import pkgutil
from dataclasses import dataclass
from functools import partial

import pytest

from harness.processes import FakeIndex
from oracle import scripts
from oracle.differences import ALWAYS, CLOSED
from oracle.exchange import Exchange
from oracle.play import play
from oracle.servers import Side, devpi, larder

NAMES = sorted(module.name for module in pkgutil.iter_modules(scripts.__path__))


@dataclass
class Stage:
    """What a step may act on."""

    devpi: Side
    larder: Side
    upstream: FakeIndex


def script(name):
    return importlib.import_module(f"oracle.scripts.{name}")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", NAMES)
def test_both_servers_answer_alike(name, template, upstream, tmp_path):
    module = script(name)
    exchanges, stage = module.exchanges(upstream), partial(Stage, upstream=upstream)
    with_web = getattr(module, "WITH_WEB", False)
    with (
        devpi(tmp_path, template, their_options(module), with_web) as theirs,
        larder(tmp_path, our_options(module)) as ours,
    ):
        problems = play(exchanges, theirs, ours, stage(theirs, ours))
    problems = [text for _, text in problems]
    count = sum(isinstance(exchange, Exchange) for exchange in exchanges)
    if problems:
        heading = f"{len(problems)} of {count} exchanges of {name} differ\n\n"
        pytest.fail(heading + "\n\n".join(problems), pytrace=False)


def their_options(module):
    return [*getattr(module, "OPTIONS", []), *getattr(module, "DEVPI_OPTIONS", [])]


def our_options(module):
    compat = ["--devpi-compat"] if getattr(module, "COMPAT", True) else []
    return [*compat, *getattr(module, "OPTIONS", []), *getattr(module, "LARDER_OPTIONS", [])]
