"""Lightning Fabric, wherever it is installed: on its own, or inside the `lightning` package."""

try:
    from lightning_fabric import Fabric
    from lightning_fabric.strategies import DDPStrategy
    from lightning_fabric.utilities.exceptions import MisconfigurationException
except ImportError:  # pragma: no cover - the other packaging of the same library
    from lightning.fabric import Fabric
    from lightning.fabric.strategies import DDPStrategy
    from lightning.fabric.utilities.exceptions import MisconfigurationException

__all__ = ["DDPStrategy", "Fabric", "MisconfigurationException"]
