"""Form-encoded parameters: nested, typed, bounded; and no bytes break the reader."""

import contextlib
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from deploy.stripe_standin.errors import MalformedError
from deploy.stripe_standin.forms import decode, parse
from deploy.stripe_standin.payments.intents import CreateIntent

NAMES = st.text(alphabet="abcdefghij_", min_size=1, max_size=8)
LEAVES = st.text(max_size=20)
LISTS = st.lists(LEAVES, min_size=1, max_size=3)
MAPPINGS = st.dictionaries(NAMES, LEAVES | LISTS, min_size=1, max_size=3)
TREES = st.dictionaries(
    NAMES, LEAVES | LISTS | MAPPINGS | st.lists(MAPPINGS, max_size=2), max_size=4
)


def flat(value, name=""):
    """Yield the pairs of a form, as Stripe's client writes them."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, f"{name}[{key}]" if name else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from flat(inner, f"{name}[{index}]")
    else:
        yield name, value


class TestReadingAForm:
    @settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
    @given(TREES)
    def test_gives_back_what_was_written(self, tree):
        written = {name: value for name, value in tree.items() if value != []}

        assert parse(urlencode(list(flat(tree)))) == written

    @given(st.text(max_size=200))
    def test_refuses_nonsense_with_one_kind_of_error(self, nonsense):
        with contextlib.suppress(MalformedError):
            decode(parse(nonsense), CreateIntent)

    def test_takes_lists_without_numbers(self):
        assert parse("expand[]=a&expand[]=b") == {"expand": ["a", "b"]}

    @pytest.mark.parametrize(
        "form",
        [
            "&".join(f"key_{number}=1" for number in range(1_001)),
            "a[b][c][d][e][f][g]=1",
            f"a={'x' * 5_001}",
            "a=1&a[b]=2",
            "[]=1",
        ],
        ids=["many", "deep", "long", "two things at once", "nameless"],
    )
    def test_is_bounded(self, form):
        with pytest.raises(MalformedError):
            parse(form)
