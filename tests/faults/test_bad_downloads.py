"""The short form of the studies of downloads, and that they would notice."""

from __future__ import annotations

import pytest
import requests
from bad_downloads import FILE, SOUND, STUDIES, study
from promise import promises_hold

test_the_promise_holds = promises_hold(STUDIES)


def careless(out, url):
    """What many a script does: straight into the file's own name."""
    (out / "archives").mkdir(parents=True, exist_ok=True)
    for name in (FILE, *SOUND):
        with requests.get(url + name, stream=True, timeout=2) as response, (out / "archives" / name).open("wb") as file:
            for chunk in response.iter_content(1 << 14):
                file.write(chunk)


@pytest.mark.parametrize("kind", ["bad server", "killed", "full disk"])
def test_a_careless_download_is_found_out(tmp_path, kind):
    assert study(kind, 6, tmp_path, careless).broken
