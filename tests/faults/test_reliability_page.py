"""The page of faults says what the counts on file say, and every fault of the table has been tried."""

from __future__ import annotations

from fault_table import PAGE, all_studies, on_file, page

# Promises that were broken in the long form. The page names them.
OPEN = ("Ctrl-C, SIGTERM or SIGKILL to a training with two workers",)


def test_the_page_is_made_from_the_counts() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text, on_file()) == text


def test_every_study_was_tried_in_its_long_form_and_kept_its_promise() -> None:
    rows = {row["fault"]: row for row in on_file()}
    for study in all_studies():
        assert rows[study.fault]["promise"] == study.promise
        assert rows[study.fault]["times"] >= study.long
        assert rows[study.fault]["broken"] == [] or study.fault in OPEN
    assert len(rows) == len(all_studies())


def test_what_is_open_is_named_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8").partition("<!-- counts")[0]
    assert all(f"*{fault}*" in text for fault in OPEN)
