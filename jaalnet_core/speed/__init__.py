"""What JAAL-Net costs in time and memory, measured: the authors' networks, inference, attention, layers, folders.

`jaalnet benchmark --of WHAT` calls one of these modules, `make speed` all of them; `docs/speed.md` shows what came out.
"""
