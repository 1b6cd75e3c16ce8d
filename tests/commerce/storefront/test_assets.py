import pytest

from commerce.storefront.assets import ASKED_ANEW, KEPT_FOR_EVER, load_assets


@pytest.fixture(scope="module")
def assets():
    return load_assets()


class TestAStaticFile:
    def test_may_be_kept_for_ever_under_its_version(self, assets):
        path = assets.url("css/rialto.css").removeprefix("/static/")

        _, cache_control = assets.find(path)

        assert cache_control == KEPT_FOR_EVER

    @pytest.mark.parametrize("prefix", ["", "0123456789ab/"])
    def test_is_asked_for_anew_under_no_version_and_under_an_old_one(self, assets, prefix):
        asset, cache_control = assets.find(f"{prefix}css/rialto.css")

        assert asset.media_type == "text/css; charset=utf-8"
        assert cache_control == ASKED_ANEW

    @pytest.mark.parametrize(
        "path", ["css/other.css", "../pages.py", "0123456789ab/../pages.py", "fonts", ""]
    )
    def test_is_one_of_ours_or_none(self, assets, path):
        assert assets.find(path) is None

    def test_is_compressed_once_unless_it_is_already(self, assets):
        sheet, _ = assets.find("css/rialto.css")
        font, _ = assets.find("fonts/bricolage-grotesque-latin-wght-normal.woff2")

        assert len(sheet.compressed) < len(sheet.content)
        assert font.compressed is None

    def test_is_offered_to_browsers_at_once_if_it_is_a_script(self, assets):
        modules = assets.modules()

        assert assets.url("js/main.js") in modules
        assert assets.url("rialto/index.js") in modules


class TestTheVersion:
    def test_is_the_same_for_the_same_files(self, assets):
        assert load_assets().version == assets.version
