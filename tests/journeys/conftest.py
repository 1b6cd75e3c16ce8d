import pytest

from tests.journeys.shop import a_running_shop


@pytest.fixture(scope="session")
def shop(scratch_folder):
    """A whole private shop, shared by the journeys."""
    folder = scratch_folder / "shop"
    folder.mkdir()
    with a_running_shop(folder) as running:
        yield running


@pytest.fixture
async def rest(shop):
    """REST requests against the shop."""
    await shop.wait_healthy()
    async with shop.open_rest() as rest:
        yield rest
