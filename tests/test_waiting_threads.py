"""How long threads of one operation wait for each other: set before torch is there, and left alone where it was set."""

import os
import subprocess
import sys

import pytest

NAMES = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")


@pytest.mark.parametrize(
    ("set_before", "found"), [({}, "3000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, "None")]
)
def test_threads_wait_shortly_unless_the_user_says_otherwise(set_before, found):
    environment = {name: value for name, value in os.environ.items() if name not in NAMES} | set_before
    code = "import os, sys, jaalnet_core; print('torch' in sys.modules, os.environ.get('GOMP_SPINCOUNT'))"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", found]
