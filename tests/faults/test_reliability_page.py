"""The page of faults says what the counts on file say, and every fault of the table has been tried."""

from __future__ import annotations

from fault_table import PAGE, all_studies, on_file, page


def test_the_page_is_made_from_the_counts() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text, on_file()) == text


def test_every_study_was_tried_in_its_long_form_and_kept_its_promise() -> None:
    rows = {row["fault"]: row for row in on_file()}
    for study in all_studies():
        assert rows[study.fault]["promise"] == study.promise
        assert rows[study.fault]["times"] >= study.long
        assert rows[study.fault]["broken"] == []
    assert len(rows) == len(all_studies())
