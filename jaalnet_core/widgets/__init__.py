"""Places to play: small ipywidgets around plain functions that draw the same figure without them.

from jaalnet_core.widgets import attention_microscope  # the one that needs no lesson around it
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jaalnet_core.widgets.microscope import attention_microscope as attention_microscope

_MODULES = {"attention_microscope": "microscope"}
__all__ = ["attention_microscope"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
