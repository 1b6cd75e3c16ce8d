"""Any value of a type of the protocol, made from the type itself."""

import functools

from hypothesis import strategies as st
from msgspec import inspect as shapes

SAFE_INTEGER = 2**53 - 1
TEXT = st.text(st.characters(codec="utf-8"), max_size=40)


@functools.cache
def anything_of(kind):
    """A strategy for the values of a type, with every bound the type names."""
    return _strategy(shapes.type_info(kind))


def _strategy(shape):  # noqa: C901, PLR0911, PLR0912  # a table of what types are made of
    match shape:
        case shapes.StructType():
            return _struct(shape)
        case shapes.UnionType():
            return st.one_of([_strategy(one) for one in shape.types])
        case shapes.StrType(pattern=str()):
            found = st.from_regex(shape.pattern, fullmatch=True)
            return found.filter(lambda text: msgspec_takes(text, shape))
        case shapes.StrType():
            return st.text(
                st.characters(codec="utf-8"),
                min_size=shape.min_length or 0,
                max_size=min(shape.max_length or 40, 600),
            )
        case shapes.IntType():
            return st.integers(
                -SAFE_INTEGER if shape.ge is None else shape.ge,
                SAFE_INTEGER if shape.le is None else shape.le,
            )
        case shapes.BoolType():
            return st.booleans()
        case shapes.NoneType():
            return st.none()
        case shapes.LiteralType():
            return st.sampled_from(shape.values)
        case shapes.ListType() | shapes.VarTupleType():
            items = st.lists(_strategy(shape.item_type), min_size=shape.min_length or 0, max_size=3)
            return items if isinstance(shape, shapes.ListType) else items.map(tuple)
        case shapes.DictType():
            return st.dictionaries(
                _strategy(shape.key_type), _strategy(shape.value_type), max_size=3
            )
    raise NotImplementedError(shape)


def _struct(shape):
    fields = {field.name: _strategy(field.type) for field in shape.fields}
    return st.builds(shape.cls, **fields)


def msgspec_takes(text, shape):
    """Leave out what the pattern alone would let through, but a length would not."""
    longest = shape.max_length or len(text)
    return (shape.min_length or 0) <= len(text) <= longest
