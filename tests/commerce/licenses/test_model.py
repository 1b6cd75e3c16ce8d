import pytest
from hypothesis import given, strategies as st

from commerce.licenses.errors import IllegalLicenseStepError
from commerce.licenses.model import KEY_BITS, TRANSITIONS, read_key, write_key
from tests.builders import A_MOMENT, a_license

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
bodies = st.integers(0, 2**KEY_BITS - 1)
prefixes = st.text(ALPHABET, min_size=2, max_size=6)


class TestAKey:
    @given(prefixes, bodies)
    def test_is_read_as_it_was_written(self, prefix, body):
        assert read_key(write_key(prefix, body)) == write_key(prefix, body)

    @given(bodies)
    def test_is_read_however_it_is_typed(self, body):
        key = write_key("1NK1", body)
        typed = key.lower().replace("0", "o").replace("1", "l").replace("-", " ")

        assert read_key(f"  {typed}\t") == key

    @given(bodies, st.data())
    def test_with_one_wrong_character_is_noticed(self, body, data):
        key = write_key("1NK1", body)
        at = data.draw(st.sampled_from([n for n, one in enumerate(key) if one != "-"]))
        wrong = data.draw(st.sampled_from([one for one in ALPHABET if one != key[at]]))

        assert read_key(key[:at] + wrong + key[at + 1 :]) is None

    @given(bodies, st.data())
    def test_with_two_neighbours_changed_about_is_noticed(self, body, data):
        text = write_key("1NK1", body).replace("-", "")
        at = data.draw(st.integers(0, len(text) - 2))
        swapped = text[:at] + text[at + 1] + text[at] + text[at + 2 :]

        assert swapped == text or read_key(swapped) is None

    @given(st.text(max_size=80))
    def test_that_is_anything_at_all_is_read_or_refused(self, typed):
        assert read_key(typed) is None or read_key(read_key(typed)) == read_key(typed)

    @pytest.mark.parametrize("typed", ["", "1NK", "U" * 30, "0" * 200, "ключ", "🦉" * 29])
    def test_that_cannot_be_one_is_refused(self, typed):
        assert read_key(typed) is None


class TestALicence:
    @pytest.mark.parametrize("before", TRANSITIONS)
    @pytest.mark.parametrize("after", TRANSITIONS)
    def test_goes_along_the_edges_of_its_table_and_no_others(self, before, after):
        held = a_license(staff_state=before)

        if after in TRANSITIONS[before]:
            held.require_step(after)
        else:
            with pytest.raises(IllegalLicenseStepError):
                held.require_step(after)

    def test_has_expired_from_its_last_moment_on(self):
        held = a_license(expires_at=A_MOMENT)

        assert held.standing(A_MOMENT) == "expired"
        assert a_license(expires_at=None).standing(A_MOMENT) == "granted"
