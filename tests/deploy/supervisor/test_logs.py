"""Logs are bounded, and their ends can be read."""

from deploy.supervisor.logs import log_tail, open_log, rotate


class TestALog:
    def test_that_is_too_large_is_copied_away_and_goes_on_empty(self, tmp_path):
        path = tmp_path / "web.log"
        with open_log(path) as writing:
            writing.write(b"old\n" * 10)
            assert rotate(path, bytes_max=20)
            writing.write(b"new\n")

        assert path.read_bytes() == b"new\n"
        assert (tmp_path / "web.log.1").read_bytes() == b"old\n" * 10

    def test_keeps_a_few_old_ones(self, tmp_path):
        path = tmp_path / "web.log"
        for number in range(6):
            path.write_text(f"{number}" * 30)
            rotate(path, bytes_max=20)

        kept = {old.name: old.read_text()[0] for old in tmp_path.glob("web.log.*")}
        assert kept == {"web.log.1": "5", "web.log.2": "4", "web.log.3": "3"}

    def test_that_is_small_is_left_alone(self, tmp_path):
        path = tmp_path / "web.log"
        path.write_text("few")

        assert not rotate(path, bytes_max=20)
        assert not rotate(tmp_path / "none.log")

    def test_shows_its_last_lines(self, tmp_path):
        path = tmp_path / "web.log"
        path.write_text("one\ntwo\nthree\n")

        assert log_tail(path, lines_max=2) == ["two", "three"]
        assert log_tail(path, lines_max=9, after_byte=4) == ["two", "three"]
        assert log_tail(tmp_path / "none.log", lines_max=2) == []
