"""The course as a site: Sphinx reads the repository itself, from its root, and `make_site.py` calls it.

Lessons come with the outputs they were committed with; nothing is run. No page asks another machine for anything.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT)]

from jaalnet_core import __version__  # noqa: E402

project = "JAAL-Net"
author = "The JAAL-Net course authors"
copyright = "The JAAL-Net course authors, MIT licence"
version = release = __version__
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon", "mathml", "pages"]
root_doc = "README"
include_patterns = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "notebooks/*.ipynb",
    "notebooks/README.md",
    "docs/*.md",
    "docs/teaching/*.md",
    "docs/site/reading.md",
    "docs/site/api/*.md",
    "data/README.md",
    "checkpoints/README.md",
    "checkpoints/shipped/*/README.md",
    "reports/published/**.md",
]
# folders that need not be walked through
exclude_patterns = [".*", "build", "dist", "site", "jaalnet_core", "tests", "*.egg-info", "**/.ipynb_checkpoints"]

# ---- lessons and documents ----
nb_execution_mode = "off"
nb_merge_streams = True
nb_ipywidgets_js: dict[str, dict[str, str]] = {}
nb_output_stderr = "show"
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
html_math_renderer = "mathml"

# ---- reference from the docstrings ----
autosummary_generate = False
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
napoleon_use_ivar = True
default_role = "literal"  # docstrings write `names` as Markdown does
add_module_names = False
nitpicky = True
suppress_warnings = ["ref.python"]  # `width` in an attribute list could be any class's
# a type in a signature is a link where its class is described here; an offline build cannot ask other references
nitpick_ignore_regex = [("py:.*", ".*")]

# ---- looks ----
html_theme = "sphinx_book_theme"
html_title = "JAAL-Net course"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_use_index = False  # the search serves better than lists of a thousand names
html_domain_indices = False
html_last_updated_fmt = None
html_theme_options = {
    "home_page_in_toc": False,
    "show_prev_next": False,  # lessons bring their own
    "navbar_persistent": [],  # the search is in the side bar
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
