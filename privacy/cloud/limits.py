"""What Cloud DLP allows in one request, and what a request costs."""

from dataclasses import dataclass

MAX_BYTES = 500_000
"""Of a whole request, serialised; the service's own limit is 0.5 MB."""
MAX_CELLS = 50_000
MAX_FINDINGS = 2_400
"""What a request is planned for; beyond 3,000 the service truncates or refuses."""


@dataclass(frozen=True)
class Limits:
    """The limits of one request.

    Args:
      bytes: Of the whole request, serialised, with its configuration.
      cells: Values of its table.
      findings: How many it may be expected to have.
    """

    bytes: int = MAX_BYTES
    cells: int = MAX_CELLS
    findings: int = MAX_FINDINGS
