"""The engine: columns, in as few requests as the limits allow, and no row of them lost."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from google.cloud.dlp_v2 import types

from privacy.cloud.alone import TOO_MUCH, cell_by_cell
from privacy.cloud.calls import Caller, CloudStopped, Refusal
from privacy.cloud.cells import row_sizes
from privacy.cloud.cutting import FindingsMean, cut_rows, number_sizes, with_numbers
from privacy.cloud.encode import with_table
from privacy.cloud.gathering import Gathering
from privacy.cloud.joining import Joined, Part, Tally, join_bytes
from privacy.cloud.outcomes import Action
from privacy.cloud.pacing import shared_bucket
from privacy.cloud.settings import CloudPolicy, narrowed, text_columns
from privacy.cloud.wire import REPLIES, Connection
from transforms.errors import ConfigError

_HOPELESS = 20
"""So many rows refused alone, and none accepted: the policy is at fault, and not the rows."""
Column: TypeAlias = pa.Array | pa.ChunkedArray
"""A column, in one piece or several."""

_SLACK = 64
_AT_WORK = 8
_SIZED = 1 << 17
"""Of so many rows the sizes are computed at once: the first requests need not wait for the rest."""
_NUMBER_FOUND = "a number is personal data; field_transformations make texts of it"


@dataclass
class Result:
    """What became of n rows.

    Args:
      columns: The columns that were sent, n rows each, in one piece or several; null where nothing
        came back.
      lost: n booleans: rows that could not be transformed.
      whys: Why, for each row the number of one of `reasons`.
      reasons: Texts that hold no value.
      suppressed: n booleans: rows that the policy leaves out.
      faults: For each column n booleans: which values make their rows be lost. A lost row without
        any was refused as a whole.
      transformed: How many values were transformed, by column and infoType.
    """

    columns: list[Column]
    lost: np.ndarray
    whys: np.ndarray
    reasons: list[str]
    suppressed: np.ndarray
    faults: list[np.ndarray]
    transformed: Tally = field(default_factory=Counter)


class CloudEngine:
    """Cloud DLP for one policy; safe to use from many threads.

    Args:
      policy: What is to be done.
      connection: For tests; None makes one.
    """

    def __init__(self, policy: CloudPolicy, connection: Connection | None = None) -> None:
        self.policy = policy
        self._connection = connection or Connection(policy)
        bucket = shared_bucket(f"{policy.address} {policy.parent}", policy.per_minute)
        self.caller = Caller(
            self._connection.call, bucket, policy.deadline, policy.patience, policy.in_flight
        )
        # Some more threads than requests: they write and read while the others wait for answers.
        self._pool = ThreadPoolExecutor(policy.in_flight + _AT_WORK, "dlp")
        self._mean = FindingsMean()
        self._probed: set[str] = set()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Ends the threads and the connection."""
        self._pool.shutdown(cancel_futures=True)
        self._connection.close()

    def transform(self, columns: Sequence[Column], method: str = "DeidentifyContent") -> Result:
        """Transforms columns.

        Args:
          columns: Those that the policy names, in its order, n rows each, in one piece or several.
          method: Or "ReidentifyContent".

        Raises:
          CloudStopped: The service refuses the configuration, or does not answer.
        """
        config = self.policy.deidentify()
        kinds = self._kinds(columns, config)
        work = Transforming(self, method, config, list(columns), kinds)
        self._probe(work)
        gathering = Gathering()
        for parts in self.in_parallel(work.resolve, columns, work.overhead, numbered=True):
            gathering.add(parts)
        return _joined(columns, kinds, gathering.parts())

    def in_parallel(
        self,
        run: Callable[[int, int], Any],
        columns: Sequence[Column],
        overhead: int,
        numbered: bool = False,
    ) -> Iterator[Any]:
        """Yields what `run` makes of rows from one place to another, many at once, in any order.

        Each request is cut when there is room for it, by the findings that were seen until then.
        """
        start, count, running = 0, len(columns[0]), set[Future[Any]]()
        sizes, begun = row_sizes([column.slice(0, 0) for column in columns]), 0
        most = self.policy.limits.cells + 1
        try:
            while start < count or running:
                while start < count and len(running) < self.policy.in_flight + _AT_WORK:
                    if begun + len(sizes) < min(start + most, count):
                        some = [column.slice(start, max(_SIZED, most)) for column in columns]
                        sizes, begun = row_sizes(some), start
                        sizes = with_numbers(sizes) if numbered else sizes
                    coming = sizes[start - begun :][:most]
                    if numbered:
                        coming = coming + number_sizes(most)[: len(coming)]
                    stop = start + self._next(coming, len(columns) + numbered, overhead)
                    running.add(self._pool.submit(run, start, stop))
                    start = stop
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            for future in running:
                future.cancel()

    def saw(self, rows: int, findings: int) -> None:
        """Takes in how many findings some rows had."""
        with self._lock:
            self._mean.saw(rows, findings)

    def _next(self, sizes: np.ndarray, columns: int, overhead: int) -> int:
        """Returns how many of the coming rows go into one request."""
        return cut_rows(sizes, columns, overhead, self._mean.mean, self.policy.limits)[0][1]

    def _kinds(self, columns: Sequence[Column], config: Any) -> list[pa.DataType]:
        if len(columns) != len(self.policy.columns):
            raise ConfigError("the columns are not those of the policy")
        texts = text_columns(config)
        return [
            pa.string() if name in texts else column.type
            for name, column in zip(self.policy.columns, columns, strict=True)
        ]

    def _probe(self, work: "Transforming") -> None:
        """Asks once about a row of nulls: what is refused then is the policy's fault."""
        if work.method in self._probed:
            return
        try:
            self.caller.ask(work.method, work.request(0, 0, probe=True), lambda reply: reply)
        except Refusal as refusal:
            raise CloudStopped(
                f"Cloud DLP answered {refusal.code} to the policy itself, for a row of nulls: "
                "check its infoTypes, transformations, keys and templates. The run stops."
            ) from None
        self._probed.add(work.method)


@dataclass
class Transforming:
    """One pass over columns."""

    engine: CloudEngine
    method: str
    config: Any
    columns: list[Column]
    kinds: list[pa.DataType]

    def __post_init__(self) -> None:
        self.names = list(self.engine.policy.columns)
        self.inspect, self.parent = self.engine.policy.inspect(), self.engine.policy.parent
        self.caller = self.engine.caller
        self.overhead = len(self.request(0, 0)) + _SLACK
        self._refused, self._accepted = 0, 0

    def resolve(self, start: int, stop: int) -> list[Part]:
        """Asks about rows; of what is refused, about the halves, and in the end the columns."""
        try:
            return [self.asked(start, stop)]
        except Refusal as refusal:
            return self._refused_rows(start, stop, refusal)

    def request(
        self,
        start: int,
        stop: int,
        at: int | None = None,
        probe: bool = False,
        cells: list[pa.Array] | None = None,
    ) -> bytes:
        """Returns the message for some rows; of one column where `at` is given, or other cells."""
        names = self.names if at is None else [self.names[at]]
        columns = self.columns if at is None else [self.columns[at]]
        config = self.config if at is None else narrowed(self.config, names[0])
        cells = cells or [whole(column.slice(start, stop - start)) for column in columns]
        if probe:
            cells = [pa.nulls(1, column.type) for column in columns]
        message = getattr(types, f"{self.method}Request").pb()(parent=self.parent)
        back = self.method == "ReidentifyContent"
        getattr(message, "reidentify_config" if back else "deidentify_config").CopyFrom(config)
        message.inspect_config.CopyFrom(self.inspect)
        item = message.DESCRIPTOR.fields_by_name["item"].number
        return with_table(message, item, names, cells, numbered=True)

    def asked(self, start: int, stop: int, at: int | None = None) -> Part:
        """Returns what became of rows, or of the cells of one column, in one request.

        Raises:
          Refusal: The service will not transform them.
        """
        names = self.names if at is None else [self.names[at]]
        kinds = self.kinds if at is None else [self.kinds[at]]

        joined, tally = self.answer(self.request(start, stop, at), names, kinds, stop - start)
        self._accepted += at is None
        self.engine.saw(stop - start, tally.total())
        return Part(start, stop, joined, transformed=tally)

    def answer(
        self, request: bytes, names: Sequence[str], kinds: Sequence[pa.DataType], rows: int
    ) -> tuple[Joined, Tally]:
        """Returns what the service makes of the rows of a request, and its tally."""

        def accept(reply: bytes) -> tuple[Joined, Tally]:
            return join_bytes(reply, REPLIES[self.method].pb(), names, kinds, rows)

        answer: tuple[Joined, Tally] = self.caller.ask(self.method, request, accept)
        return answer

    def _refused_rows(self, start: int, stop: int, refusal: Refusal) -> list[Part]:
        if refusal.action not in (Action.SPLIT, Action.BISECT):
            return [Part(start, stop, why=f"Cloud DLP gave {refusal.code}")]
        if stop - start > 1:
            self.engine.caller.counts.splits += 1
            middle = (start + stop) // 2
            return self.resolve(start, middle) + self.resolve(middle, stop)
        if refusal.action is Action.SPLIT:
            return [cell_by_cell(self, start, TOO_MUCH)]
        self._refused += 1
        if self._refused >= _HOPELESS and not self._accepted:
            raise CloudStopped(
                f"Cloud DLP answered {refusal.code} to each of {self._refused} rows alone: check "
                "the policy's alphabets, date formats and column types. The run stops."
            )
        why = f"Cloud DLP can't transform a value ({refusal.code})"
        return [cell_by_cell(self, start, why)]


def _joined(columns: Sequence[Column], kinds: list[pa.DataType], parts: list[Part]) -> Result:
    """Returns the rows of all parts in their places; rows that no part answers for are lost."""
    count = len(columns[0])
    lost, reasons = np.ones(count, bool), ["Cloud DLP gave no answer"]
    whys = np.zeros(count, np.int32)
    suppressed, places = np.zeros(count, bool), np.full(count, -1, np.int64)
    pieces: list[list[pa.Array]] = [[] for _ in columns]
    faults = [np.zeros(count, bool) for _ in columns]
    filled = 0
    for part in sorted(parts, key=lambda part: part.start):
        if part.joined is None:
            whys[part.start : part.stop] = len(reasons)
            reasons.append(part.why)
            continue
        rows = part.start + part.joined.rows
        suppressed[part.start : part.stop] = True
        suppressed[rows], lost[part.start : part.stop] = False, False
        places[rows] = filled + np.arange(len(rows))
        filled += len(rows)
        if (unfit := part.joined.unfit).any():
            lost[rows[unfit]], whys[rows[unfit]] = True, len(reasons)
            reasons.append(part.why or _NUMBER_FOUND)
        for fault, found in zip(faults, part.joined.faults, strict=True):
            fault[rows] = found
        for piece, column in zip(pieces, part.joined.columns, strict=True):
            piece.append(column)
    made = [
        _placed(pa.chunked_array(piece, kind), places)
        for piece, kind in zip(pieces, kinds, strict=True)
    ]
    tally = sum((part.transformed for part in parts), Tally())
    return Result(made, lost, whys, reasons, suppressed, faults, tally)


def _placed(values: pa.ChunkedArray, places: np.ndarray) -> Column:
    """Returns the value at each place, null where there is none."""
    if len(values) == len(places) and (places == np.arange(len(places))).all():
        return values
    return whole(values).take(pa.array(places, mask=places < 0))


def whole(values: Column) -> pa.Array:
    """Returns values in one piece."""
    if isinstance(values, pa.Array):
        return values
    if values.num_chunks == 1:
        return values.chunk(0)
    return pa.concat_arrays([pa.array([], values.type), *values.chunks])
