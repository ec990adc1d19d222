"""What the local engine does with each column of a schema, and what it refuses."""

from collections.abc import Sequence

import pyarrow as pa

from privacy.local.columns.nested import leaf_types
from privacy.local.columns.records import field_paths
from privacy.local.plan import Plan
from transforms.errors import ConfigError
from transforms.nearest import nearest_column

LOOKED = "looked"
NUMBERS = "numbers"
LEFT = "left"


def role_of(type: pa.DataType) -> str | None:
    """Returns what is done with values of a type; None for what can't be looked into."""
    is_ = pa.types
    if is_.is_dictionary(type):
        return role_of(type.value_type)
    if is_.is_string(type) or is_.is_large_string(type) or is_.is_string_view(type):
        return LOOKED
    if is_.is_integer(type) or is_.is_floating(type) or is_.is_decimal(type):
        return NUMBERS
    if is_.is_boolean(type) or is_.is_temporal(type) or is_.is_null(type):
        return LEFT
    return None


def check_columns(plan: Plan, schema: pa.Schema) -> None:
    """Checks at launch that a policy fits the columns.

    Raises:
      ConfigError: The policy names a column that isn't there, or there is one that the engine
        can't look into, and that is not left on purpose. The text lists all of them.
    """
    leaves = {path for each in schema for path, _ in leaf_types(each.type, each.name)}
    known = [*schema.names, *leaves]
    problems = [
        f"there is no column {name!r}{nearest_column(name, known)}"
        for name in dict.fromkeys((*plan.columns.named, *plan.fields, *plan.parts))
        if name not in known and not _is_within(name, plan.columns.json)
    ]
    one_a_row = field_paths(schema)
    problems += [
        f"there is no column {name!r}{nearest_column(name, one_a_row)}, on which others depend"
        for name in plan.other_fields
        if name not in one_a_row
    ]
    for column in schema:
        if column.name in plan.fields and pa.types.is_nested(column.type):
            problems.append(f"{column.name!r} is {column.type}: a whole cell must be one value")
        if column.name in plan.columns.leave or column.name in plan.fields:
            continue
        problems += [
            f"{path!r} is {type}, which can't be looked into: name {path!r} in "
            "columns.leave to pass it as it is, or leave it out of the input"
            for path, type in leaf_types(column.type, column.name)
            if role_of(type) is None and path not in (*plan.columns.leave, *plan.fields)
        ]
    if problems:
        lines = "".join(f"\n  - {problem}" for problem in problems)
        raise ConfigError(f"--policy {plan.name} does not fit the input:{lines}")


def _is_within(path: str, columns: Sequence[str]) -> bool:
    """Tells whether a path leads into the JSON texts of one of some columns."""
    return any(path.startswith(f"{column}.") for column in columns)


def redacted_schema(plan: Plan, schema: pa.Schema) -> pa.Schema:
    """Returns the schema of what comes out: whole cells that were transformed are texts."""
    made = []
    for each in schema:
        type = _retyped(each.type, each.name, plan)
        changed = each.name in plan.fields
        made.append(pa.field(each.name, type, changed or each.nullable, each.metadata))
    return pa.schema(made, schema.metadata)


def _retyped(type: pa.DataType, path: str, plan: Plan) -> pa.DataType:
    if pa.types.is_struct(type):
        fields = [type.field(place) for place in range(type.num_fields)]
        return pa.struct(
            [each.with_type(_retyped(each.type, f"{path}.{each.name}", plan)) for each in fields]
        )
    if pa.types.is_map(type):
        key, item = (
            _retyped(each, f"{path}.{name}", plan)
            for each, name in ((type.key_type, "key"), (type.item_type, "value"))
        )
        return pa.map_(key, item)
    if pa.types.is_fixed_size_list(type):
        return pa.list_(_retyped(type.value_type, path, plan), type.list_size)
    if pa.types.is_large_list(type):
        return pa.large_list(_retyped(type.value_type, path, plan))
    if pa.types.is_list(type):
        return pa.list_(_retyped(type.value_type, path, plan))
    return pa.string() if path in plan.fields else type
