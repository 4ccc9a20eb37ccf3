"""What the tests of the oracle share."""

import pytest

from oracle.servers import empty_devpi


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    return empty_devpi(tmp_path_factory.mktemp("devpi") / "template")
