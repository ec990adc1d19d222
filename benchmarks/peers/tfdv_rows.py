"""TFDV's validation of rows, by batch: what benchmarks.validate_rows runs in TFDV's environment.

Given a schema.pbtxt, an Arrow file, the rows of a batch and how often: prints as JSON the CPU
seconds of each time, and in how many batches there was an anomaly.
"""

import json
import sys
import time

import numpy as np
import pyarrow as pa
import tensorflow_data_validation as tfdv
from tensorflow_data_validation.api.validation_api import validate_instance


def listed(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch as TFDV wants it: each value in a list of its own, where it isn't null."""
    columns = []
    for column in batch.columns:
        there = np.append(column.is_valid().to_numpy(zero_copy_only=False), True)
        ends = np.cumsum(there) - there
        offsets = pa.array(ends.astype(np.int32), mask=~there)
        columns.append(pa.ListArray.from_arrays(offsets, column.drop_null()))
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)


def main(schema: str, rows: str, size: str, repeats: str) -> None:
    """Times `validate_instance`; batches are made before the clock starts."""
    options = tfdv.StatsOptions(schema=tfdv.load_schema_text(schema))
    table = pa.ipc.open_file(rows).read_all()
    batches = [listed(each) for each in table.to_batches(max_chunksize=int(size))]
    validate_instance(batches[0], options)
    seconds = []
    for _ in range(int(repeats)):
        start = time.process_time()
        found = [validate_instance(batch, options) for batch in batches]
        seconds.append(time.process_time() - start)
    print(json.dumps([seconds, sum(bool(each.anomaly_info) for each in found)]))


if __name__ == "__main__":
    main(*sys.argv[1:])
