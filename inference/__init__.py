"""Scoring: models by URI, called over columns."""

from typing import TYPE_CHECKING

from transforms.lazy import front_door

if TYPE_CHECKING:
    from inference.model.model import Model
    from inference.score import Score
    from inference.table import score_table

__all__ = ["Model", "Score", "score_table"]

_HOMES = {"Model": "model.model", "Score": "score", "score_table": "table"}

__getattr__ = front_door(__name__, _HOMES)
