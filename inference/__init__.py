"""Scoring: models by URI, called over columns."""

from typing import TYPE_CHECKING

from transforms.lazy import front_door

if TYPE_CHECKING:
    from inference.export.export import Exported, export_model
    from inference.model.model import Model
    from inference.score import Score
    from inference.table import score_table

__all__ = ["Exported", "Model", "Score", "export_model", "score_table"]

_HOMES = {
    "Exported": "export.export",
    "Model": "model.model",
    "Score": "score",
    "export_model": "export.export",
    "score_table": "table",
}

__getattr__ = front_door(__name__, _HOMES)
