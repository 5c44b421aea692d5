"""The README's picture and its animation, drawn from two records of synthetic pictures that are kept in the repository.

python -m jaalnet_core.front_page training look   # makes the records anew (minutes: it trains)
jaalnet report                                    # draws from them what is out of date
"""

from jaalnet_core.front_page.files import front_page_files

__all__ = ["front_page_files"]
