"""Schemas as tensorflow-metadata has them: inferred, relaxed, compared, kept in files, held to."""

from transforms.schema.diff import diff_schemas as diff_schemas
from transforms.schema.environments import environments_of as environments_of
from transforms.schema.files import read_metadata as read_metadata
from transforms.schema.files import write_metadata as write_metadata
from transforms.schema.infer.infer import infer_schema as infer_schema
from transforms.schema.infer.suggest import adopt_ranges as adopt_ranges
from transforms.schema.slices import validate_slices as validate_slices
from transforms.schema.update import update_schema as update_schema
from transforms.schema.validate import validate_statistics as validate_statistics
