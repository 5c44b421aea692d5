"""`python -m jaalnet_core COMMAND` is `jaalnet COMMAND`."""

import sys

from jaalnet_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
