"""What every test of the supervisor needs."""

import pytest

from deploy.supervisor.state import ShopAddress
from tests.deploy.stand_ins import Notebook


@pytest.fixture
def notebook():
    return Notebook()


@pytest.fixture
def address(tmp_path):
    return ShopAddress(
        url="http://localhost:1",
        socket_url="ws://localhost:2/ws",
        data=str(tmp_path),
        profile="dev",
        ports={},
    )
