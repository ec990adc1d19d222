"""One SavedModel of transform graph and model: python -m beam_jobs.export --model m.keras ..."""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from beam_jobs.running import logs
from beam_jobs.running.failures import report
from beam_jobs.running.logs import say

if TYPE_CHECKING:
    from inference.export.export import Exported

_ABOUT = """\
Fuses a trained model with its transform graph into one SavedModel: serving_default takes raw
columns, serving_examples serialized tf.Examples. Rows are scored by the pipeline and by both
signatures, and the export appears only if all bits are the same.
"""
_EXAMPLES = """\
example:
  python -m beam_jobs.export --model model.keras --transform_graph prepared/transform_graph \\
      --label tips --rows serving.csv --output served/tips/1

Exit codes: 0 exported, 1 failed, 2 it can't be exported so (the text tells why).
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Exports a model; returns the exit code."""
    logs.open_streams()
    given = _parser().parse_args(argv)
    logs.quiet_libraries()
    logs.set_up()
    logs.filter_native()
    try:
        made = _exported(given)
    except KeyboardInterrupt:
        return say("export", "interrupted", 130)
    except Exception as error:
        return report("export", error)
    say("export", f"{made.rows} rows have the same bits by the pipeline and by both signatures")
    for why in made.rejected:
        say("export", f"rows that can't be scored in either way: {why}")
    say("export", f"it takes {', '.join(made.columns)}, and gives {', '.join(made.outputs)}")
    return say("export", f"it is at {made.uri}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m beam_jobs.export",
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--model", required=True, metavar="URI", help="a .keras file or SavedModel")
    add("--transform_graph", required=True, metavar="URI", help="the graph it was trained behind")
    add("--output", required=True, metavar="URI", help="a folder that isn't there yet, or gs://")
    about = "a raw column that is not known when it serves; may be repeated"
    add("--label", action="append", default=[], metavar="COLUMN", help=about)
    about = "files of raw rows to compare by (default: some are made up)"
    add("--rows", metavar="URI", help=about)
    add("--limit", type=int, default=1000, help="how many of them (default: 1000)")
    about = "an input of the model, where its name is another than the graph's"
    add("--map", action="append", default=[], metavar="INPUT=FEATURE", help=about)
    about = "let model and graph read and write files and run Python code"
    add("--trust_model", action="store_true", help=about)
    return parser


def _exported(given: argparse.Namespace) -> "Exported":
    from inference.export.export import export_model
    from transforms import wording

    mapping = dict(pair.partition("=")[::2] for pair in given.map)
    with wording.command_line():
        rows = _rows(given, mapping) if given.rows else None
        return export_model(
            given.model,
            given.transform_graph,
            given.output,
            mapping=mapping or None,
            label=given.label,
            rows=rows,
            trust_model=given.trust_model,
        )


def _rows(given: argparse.Namespace, mapping: dict[str, str]) -> Any:
    """Returns the first rows of files, read with the types that the model takes."""
    import pyarrow as pa

    from inference.model.model import Model
    from transforms.io.file_read import read_batches
    from transforms.io.file_source import Source

    model = Model.resolve(
        given.model,
        mapping=mapping or None,
        trust_model=given.trust_model,
        transform_graph=given.transform_graph,
    )
    source = Source.resolve(given.rows, None, model.input_types(times=False), given.limit)
    return pa.Table.from_batches([rows for rows, _ in read_batches(source)], source.schema)


if __name__ == "__main__":
    sys.exit(main())
