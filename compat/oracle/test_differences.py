"""The table of differences holds what is shown, and the page for readers holds the table."""

from collections import Counter

import pytest

from harness.processes import ROOT
from oracle.differences import ALWAYS, CLOSED, DIFFERENCES
from oracle.document import PATH, document
from oracle.exchange import Exchange
from oracle.test_oracle import NAMES, script

ROWS = (*ALWAYS, *CLOSED)


@pytest.fixture
def played(upstream):
    return [
        (name, exchange) for name in NAMES for exchange in script(name).exchanges(upstream)
        if isinstance(exchange, Exchange)
    ]


def test_every_row_is_shown_by_an_exchange_or_by_the_test_it_names(played):
    shown = Counter(row for _, exchange in played for row in exchange.differs)
    for row in ROWS:
        if row.shown_by:
            path, _, test = row.shown_by.partition("::")
            assert test and f" {test}(" in (ROOT / path).read_text(), f"{row.id} names {row.shown_by}"
        elif row.translate is None:
            assert shown[row.id], f"no exchange shows {row.id} any more"
    assert not shown.keys() - DIFFERENCES.keys()


def test_closed_defaults_are_shown_without_the_option_that_opens_them(played):
    closed = {row.id for row in CLOSED}
    for name, exchange in played:
        opened = getattr(script(name), "COMPAT", True)
        assert not (opened and closed.intersection(exchange.differs)), f"{name}: {exchange.title}"


def test_ids_are_used_once():
    assert len(DIFFERENCES) == len(ROWS)


def test_the_page_is_made_of_the_table():
    assert PATH.read_text() == document(), "run `make docs-differences`"
