"""What has arrived of a file: kept, compared, cut to length, and named only when it is whole."""

from __future__ import annotations

import pytest
from tqdm import tqdm

from jaalnet_core.data.partial_file import PartialFile
from jaalnet_core.errors import DataError

OLD = b"0123456789"


@pytest.fixture
def part(tmp_path):
    part = PartialFile(tmp_path / "a.zip")
    part.path.write_bytes(OLD)
    return part


def _receive(part, chunks, start):
    with tqdm(disable=True) as bar:
        part.receive(chunks, start, bar)
    return part.path.read_bytes()


def test_the_rest_is_appended(part):
    assert _receive(part, [b"ab", b"c"], start=10) == OLD + b"abc"


@pytest.mark.parametrize("chunks", [[OLD + b"abc"], [b"0123", b"456789ab", b"c"], [bytes([c]) for c in OLD + b"abc"]])
def test_bytes_sent_again_are_compared_and_gone_beyond(part, chunks):
    assert _receive(part, chunks, start=0) == OLD + b"abc"


def test_a_second_cut_of_a_server_without_ranges_loses_nothing(part):
    assert _receive(part, [b"012"], start=0) == OLD


@pytest.mark.parametrize("chunks", [[b"01XX"], [b"0", b"1XX"], [b"01XX56789 and more"]])
def test_another_file_replaces_the_bytes_from_the_first_difference(part, chunks):
    assert _receive(part, chunks, start=0) == b"".join(chunks)


def test_a_shorter_file_cuts_off_what_hung_over(part):
    part.total = 4
    assert _receive(part, [b"0123"], start=0) == b"0123"


def test_notes_outlive_the_call_and_may_be_damaged(tmp_path):
    part = PartialFile(tmp_path / "a.zip")
    assert (part.size, part.url, part.total, part.validator) == (0, None, None, None)
    part.note("http://host/a.zip", 99, '"tag"')
    again = PartialFile(tmp_path / "a.zip")
    assert (again.url, again.total, again.validator) == ("http://host/a.zip", 99, '"tag"')
    (tmp_path / "a.zip.part.json").write_text('{"url": "http')
    assert PartialFile(tmp_path / "a.zip").total is None


def test_a_finished_file_takes_its_name_and_leaves_no_traces(part, tmp_path):
    part.note("http://host/a.zip", 10, None)
    part.finish(check=None)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]
    assert (tmp_path / "a.zip").read_bytes() == OLD


def test_a_file_that_fails_its_check_never_has_the_name(part, tmp_path):
    def check(path):
        assert path == part.path
        assert not part.output.exists()
        raise DataError("bad")

    with pytest.raises(DataError, match="bad"):
        part.finish(check)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip.rejected"]


def test_discarding_forgets_bytes_and_notes(part, tmp_path):
    part.note("http://host/a.zip", 10, None)
    part.discard()
    assert not any(tmp_path.iterdir())
    assert part.size == 0
