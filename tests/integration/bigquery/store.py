"""What a stand-in of BigQuery keeps: tables with their past, jobs, and a ledger of what it did.

It knows nothing of the code under test, nor its table of types. Loads are as the service's: all of
a job or nothing, columns by name, and a job's id only once.
"""

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq

TYPES = {
    "STRING": pa.string(),
    "JSON": pa.string(),
    "GEOGRAPHY": pa.string(),
    "BYTES": pa.binary(),
    "INTEGER": pa.int64(),
    "INT64": pa.int64(),
    "FLOAT": pa.float64(),
    "FLOAT64": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "BOOL": pa.bool_(),
    "DATE": pa.date32(),
    "TIME": pa.time64("us"),
    "DATETIME": pa.timestamp("us"),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
    "NUMERIC": pa.decimal128(38, 9),
    "BIGNUMERIC": pa.decimal256(76, 38),
    "INTERVAL": pa.month_day_nano_interval(),
}


class Refusal(Exception):
    """What the service answers in place of what was asked for."""

    def __init__(self, code, reason, message):
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message


def arrow_field(described):
    kind = described["type"].upper()
    if kind in ("RECORD", "STRUCT"):
        type = pa.struct([arrow_field(each) for each in described["fields"]])
    elif kind == "RANGE":
        type = pa.struct([(end, TYPES[described["rangeElementType"]["type"]]) for end in ENDS])
    elif "precision" in described:
        type = pa.decimal128(int(described["precision"]), int(described.get("scale", 0)))
    else:
        type = TYPES[kind]
    repeated = described.get("mode") == "REPEATED"
    return pa.field(described["name"], pa.list_(type) if repeated else type)


ENDS = ("start", "end")


@dataclass
class Table:
    """A table: its fields as JSON, and its rows since when."""

    name: str
    fields: list
    more: dict = field(default_factory=dict)
    kind: str = "TABLE"
    inserted: int = 0
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self):
        self.schema = pa.schema([arrow_field(each) for each in self.fields])
        self.past = [(self.created, self.schema.empty_table())]

    @property
    def rows(self):
        return self.past[-1][1]

    def version(self, moment):
        """Which version of the table there was at a moment, and its rows; the latest at None."""
        found = [n for n, (since, _) in enumerate(self.past) if moment is None or since <= moment]
        if not found:
            raise Refusal(400, "invalid", f"{self.name} did not exist at the snapshot time")
        return found[-1], self.past[found[-1]][1]

    def add_fields(self, fields):
        """Adds those that are not there, with nulls in the rows that are."""
        more = [each for each in fields if each["name"] not in self.schema.names]
        self.fields = [*self.fields, *more]
        rows = self.rows
        for made in map(arrow_field, more):
            rows = rows.append_column(made, pa.nulls(rows.num_rows, made.type))
        self.schema = rows.schema
        self.put(rows)

    def put(self, rows):
        self.past.append((datetime.now(UTC), rows))


class Store:
    """Tables and jobs by their names; `ledger` counts what was done, `calls` what was asked."""

    def __init__(self):
        self.lock = threading.RLock()
        self.datasets, self.tables, self.jobs = set(), {}, {}
        self.locations = {}  # Of datasets that are elsewhere than in the US.
        self.ledger, self.calls = [], Counter()
        self.refusals = {}
        self.queries = {}
        self.fetch = None
        # What happens when a load job comes in, and when it is done but not yet answered.
        self.before_load = self.after_load = lambda: None

    def add(self, name, rows=None, fields=None, **more):
        """A table `project.dataset.table` with rows; the fields are those of the rows otherwise."""
        project, dataset, _ = name.split(".")
        self.datasets.add(f"{project}.{dataset}")
        table = self.tables[name] = Table(name, fields, **more)
        if rows is not None:
            table.put(rows.cast(table.schema))
        return table

    def table(self, name):
        if name not in self.tables:
            raise Refusal(404, "notFound", f"Not found: Table {name}")
        return self.tables[name]

    def refuse(self, method, code, reason, times=1):
        """Answers the next calls of a method so."""
        self.refusals[method] = [Refusal(code, reason, "as told by the test")] * times

    def asked(self, method):
        self.calls[method] += 1
        if self.refusals.get(method):
            raise self.refusals[method].pop()

    def location(self, dataset):
        return self.locations.get(dataset, "US")

    def query(self, reference, config):
        """Runs a query job: `queries` has what the SQL gives; nothing is done of a dry run."""
        asked = config["query"]
        self.asked("query")
        fields, rows = self._queried(asked["query"])
        statistics = {"query": {"schema": {"fields": fields}}}
        statistics["query"]["totalBytesProcessed"] = str(rows.nbytes)
        statistics["totalBytesProcessed"] = str(rows.nbytes)
        job = {
            "kind": "bigquery#job",
            "configuration": {"jobType": "QUERY", **config},
            "status": {"state": "DONE"},
            "statistics": statistics,
        }
        if config.get("dryRun"):
            return {**job, "jobReference": {**reference, "location": "US"}}
        key = (reference["projectId"], reference["jobId"])
        if key in self.jobs:
            raise Refusal(409, "duplicate", f"Already Exists: Job {key[0]}:US.{key[1]}")
        self.asked("queryRun")
        place = asked["destinationTable"]
        name = f"{place['projectId']}.{place['datasetId']}.{place['tableId']}"
        made = self.table(name)
        made.put(pa.concat_tables([made.rows, rows]))
        self.ledger.append((name, "QUERY", 0, rows.num_rows))
        self.jobs[key] = {**job, "jobReference": {**reference, "location": "US"}}
        return self.jobs[key]

    def _queried(self, text):
        """The fields and rows of a query: as the test says, or as `sql` reads it."""
        if text in self.queries:
            return self.queries[text].fields, self.queries[text].rows
        from tests.integration.bigquery.sql import selected

        found = selected(self.tables, text)
        if found is None:
            raise Refusal(400, "invalidQuery", "Syntax error: Unexpected string 'secret'")
        return found

    def load(self, reference, config, media=None):
        """Runs a load job, and returns it; its id is taken from now on."""
        key = (reference["projectId"], reference["jobId"])
        with self.lock:
            if key in self.jobs:
                raise Refusal(409, "duplicate", f"Already Exists: Job {key[0]}:US.{key[1]}")
            self.before_load()
            place = config["load"]["destinationTable"]
            location = self.location(f"{place['projectId']}.{place['datasetId']}")
            if reference.get("location", location) != location:
                raise Refusal(404, "notFound", "Not found: Dataset in that location")
            status = {"state": "DONE"}
            statistics = {}
            try:
                self.asked("load")
                loaded = self._load(config["load"], media)
                statistics = {"load": {"outputRows": str(loaded)}}
            except Refusal as refusal:
                error = {"reason": refusal.reason, "message": refusal.message, "location": "file"}
                status |= {"errorResult": error, "errors": [error]}
            self.jobs[key] = {
                "kind": "bigquery#job",
                "id": f"{key[0]}:{location}.{key[1]}",
                "jobReference": {**reference, "location": location},
                "configuration": {"jobType": "LOAD", **config},
                "status": status,
                "statistics": {"creationTime": "0", "startTime": "0", "endTime": "0", **statistics},
            }
            self.after_load()
            return self.jobs[key]

    def _load(self, load, media):
        place = load["destinationTable"]
        name = f"{place['projectId']}.{place['datasetId']}.{place['tableId']}"
        if load.get("sourceFormat") != "PARQUET":
            raise Refusal(400, "invalid", "the stand-in loads Parquet only")
        if name.rpartition(".")[0] not in self.datasets:
            raise Refusal(404, "notFound", f"Not found: Dataset {name.rpartition('.')[0]}")
        files = [media] if media is not None else [self.fetch(uri) for uri in load["sourceUris"]]
        table = self.tables.get(name)
        fields = table.fields if table else load["schema"]["fields"]
        if table and "ALLOW_FIELD_ADDITION" in load.get("schemaUpdateOptions", []):
            if load.get("writeDisposition") != "WRITE_APPEND":
                raise Refusal(400, "invalid", "Schema update options need WRITE_APPEND")
            table.add_fields(load["schema"]["fields"])
        made = table or Table(name, fields, _shape(load))
        inferred = load.get("parquetOptions", {}).get("enableListInference", False)
        parts = [_parquet_rows(each, made, inferred) for each in files]
        rows = pa.concat_tables(parts)
        how = load.get("writeDisposition", "WRITE_APPEND")
        if how == "WRITE_EMPTY" and table and table.rows.num_rows:
            raise Refusal(409, "duplicate", f"Already Exists: Table {name}")
        if how == "WRITE_APPEND":
            rows = pa.concat_tables([made.rows, rows])
        made.put(rows)
        self.tables[name] = made
        self.ledger.append((name, how, len(files), sum(part.num_rows for part in parts)))
        return sum(part.num_rows for part in parts)


def _shape(load):
    return {key: load[key] for key in ("timePartitioning", "clustering") if key in load}


def _parquet_rows(content, table, inferred):
    """The rows of a file as the table has them; a list without inference would be a struct."""
    rows = pq.read_table(BytesIO(content))
    unknown = set(rows.column_names) - set(table.schema.names)
    if unknown:
        raise Refusal(400, "invalid", f"Provided Schema does not match: new field {min(unknown)}")
    columns, names = [], set(rows.column_names)
    for described, want in zip(table.fields, table.schema, strict=True):
        required = described.get("mode") == "REQUIRED"
        if want.name not in names:
            if required:
                raise Refusal(400, "invalid", f"missing REQUIRED field {want.name}")
            columns.append(pa.nulls(rows.num_rows, want.type))
            continue
        column = rows[want.name]
        if pa.types.is_list(want.type) and not inferred:
            raise Refusal(400, "invalid", f"field {want.name} is a record of lists")
        if not _alike(column.type, want.type):
            raise Refusal(400, "invalid", f"field {want.name} has changed type to {column.type}")
        if required and column.null_count:
            raise Refusal(400, "invalid", f"null in REQUIRED field {want.name}")
        columns.append(column.cast(want.type))
    made = pa.Table.from_arrays(columns, schema=table.schema)
    # The service knows no null lists.
    for place, want in enumerate(table.schema):
        if pa.types.is_list(want.type) and made[want.name].null_count:
            values = [value or [] for value in made[want.name].to_pylist()]
            made = made.set_column(place, want, pa.array(values, want.type))
    return made


def _alike(found, wanted):
    """Whether a Parquet column may become a field: the same kind, no narrower."""
    kinds = (pa.types.is_decimal, pa.types.is_integer, pa.types.is_floating, pa.types.is_list)
    kinds += (pa.types.is_struct,)
    if any(kind(found) and kind(wanted) for kind in kinds):
        return True
    return found.equals(wanted)
