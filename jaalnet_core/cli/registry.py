"""How the command line reads the types of ours that are no plain number or text."""

from __future__ import annotations

from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

from jaalnet_core.errors import SettingsError
from jaalnet_core.size import Size


def registry() -> ConstructorRegistry:
    """A tyro registry that reads a `Size` from one word, such as `128` or `192x160`, also where it may be left out."""
    known = ConstructorRegistry()

    @known.primitive_rule
    def size_rule(type_info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec | None:
        if type_info.type not in (Size, Size | None):
            return None
        return PrimitiveConstructorSpec(
            nargs=1,
            metavar="N|WxH",
            instance_from_str=_read_size,
            is_instance=lambda instance: (
                isinstance(instance, Size) or (instance is None and type_info.type is not Size)
            ),
            str_from_instance=lambda instance: [str(instance)],
        )

    return known


def _read_size(words: list[str]) -> Size:
    try:
        return Size.parse(words[0])
    except SettingsError as error:  # tyro turns a ValueError into a usage message
        raise ValueError(str(error)) from error
