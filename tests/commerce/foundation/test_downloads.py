import pytest

from commerce.foundation.downloads import UnsatisfiableError, part_of


class TestWhichPart:
    @pytest.mark.parametrize(
        ("asked", "part"),
        [
            ("bytes=0-", (0, 1000)),
            ("bytes=0-0", (0, 1)),
            ("bytes=999-", (999, 1000)),
            ("bytes=900-5000", (900, 1000)),
            ("bytes=-1", (999, 1000)),
            ("bytes=-5000", (0, 1000)),
        ],
    )
    def test_is_read_as_the_standard_says(self, asked, part):
        assert part_of(asked, size=1000) == part

    @pytest.mark.parametrize(
        "asked", ["", "bytes=-", "bytes=5-2", "bytes=0-1,5-6", "lines=1-2", "bytes=a-b", "bytes"]
    )
    def test_is_the_whole_if_it_is_no_single_range(self, asked):
        assert part_of(asked, size=1000) is None

    @pytest.mark.parametrize(("asked", "size"), [("bytes=1000-", 1000), ("bytes=-0", 9)])
    def test_beyond_the_end_is_refused(self, asked, size):
        with pytest.raises(UnsatisfiableError):
            part_of(asked, size=size)

    @pytest.mark.parametrize("asked", ["bytes=0-", "bytes=-5"])
    def test_of_nothing_is_nothing(self, asked):
        with pytest.raises(UnsatisfiableError):
            part_of(asked, size=0)
