"""The limits of Cloud DLP, as the service answers them."""

from typing import Any

from grpc import StatusCode

MAX_BYTES = 524_288
MAX_CELLS = 50_000
MAX_FINDINGS = 3_000
MAX_TRANSFORMATIONS, MAX_RULES = 100, 10


class Refused(Exception):
    """What the service answers instead of a reply.

    Args:
      code: The status.
      message: What the client is sent. It holds no value of the content.
    """

    def __init__(self, code: StatusCode, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def check_size(request: Any) -> None:
    """Refuses a request that is too large.

    Raises:
      Refused: With the code and a text like the service's.
    """
    if request.ByteSize() > MAX_BYTES:
        raise Refused(
            StatusCode.INVALID_ARGUMENT,
            f"Request payload size exceeds the limit: {MAX_BYTES} bytes.",
        )
    table = request.item.table
    if len(table.rows) * len(table.headers) > MAX_CELLS:
        raise Refused(
            StatusCode.INVALID_ARGUMENT,
            f"More than {MAX_CELLS} table values: exceeds the limit. Retry with a smaller request",
        )


def check_findings(count: int, most: int = MAX_FINDINGS) -> None:
    """Refuses to transform content with too many findings.

    Raises:
      Refused: As the service does.
    """
    if count > most:
        raise Refused(
            StatusCode.INVALID_ARGUMENT,
            "Too many findings to de-identify. Retry with a smaller request.",
        )


def check_transformations(config: Any) -> None:
    """Refuses a `DeidentifyConfig` with too many transformations.

    Raises:
      Refused: As the service does.
    """
    records = config.record_transformations
    count = len(config.info_type_transformations.transformations)
    count += len(records.field_transformations) + len(records.record_suppressions)
    if count > MAX_TRANSFORMATIONS:
        raise invalid(f"More than {MAX_TRANSFORMATIONS} transformations in the request.")


def check_rules(config: Any) -> None:
    """Refuses an `InspectConfig` with too many rules in a set.

    Raises:
      Refused: As the service does.
    """
    if any(len(each.rules) > MAX_RULES for each in config.rule_set):
        raise invalid(f"More than {MAX_RULES} rules in a rule set.")


def invalid(message: str) -> Refused:
    """Returns a refusal of an argument."""
    return Refused(StatusCode.INVALID_ARGUMENT, message)


def unimplemented(what: str) -> Refused:
    """Returns a refusal of what this emulator does not do."""
    return Refused(StatusCode.UNIMPLEMENTED, f"the emulator does not do this: {what}")
