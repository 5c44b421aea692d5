"""JAAL-Net: a joint attention and adversarial network that outlines skin lesions, and its course."""

__version__ = "0.1.0"
