"""Lightning Fabric, wherever it is installed: on its own, or inside the `lightning` package."""

try:
    from lightning_fabric import Fabric
except ImportError:  # pragma: no cover - the other packaging of the same library
    from lightning.fabric import Fabric

__all__ = ["Fabric"]
