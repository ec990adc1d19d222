"""Numbering plans of countries, as RE2 patterns; the data is that of the phonenumbers package."""

import functools

HOME_REGIONS = "US CA GB IE FR DE NL BE CH AT SE IT ES AU NZ JP CN IN BR IL ZA".split()
"""Where numbers without a country's code may belong."""

_KINDS = (
    "fixed_line mobile toll_free premium_rate shared_cost voip personal_number pager uan".split()
)


@functools.cache
def international() -> dict[str, str]:
    """Returns a pattern of the national numbers of each country's code."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    return {
        str(code): "|".join(dict.fromkeys(part for r in regions for part in _parts(r)))
        for code, regions in COUNTRY_CODE_TO_REGION_CODE.items()
        if regions != ("001",)
    }


@functools.cache
def domestic() -> str:
    """Returns a pattern of the numbers of the home regions that begin with a 0, as dialled."""
    from phonenumbers import PhoneMetadata

    found: dict[str, None] = {}
    for region in HOME_REGIONS:
        metadata = PhoneMetadata.metadata_for_region(region)
        if metadata and (metadata.national_prefix or "0") == "0":
            found |= dict.fromkeys(_parts(region))
    return rf"^(?:0(?:{'|'.join(found)})|0(?:{'|'.join(_parts('IT'))}))$"


@functools.cache
def bare() -> str:
    """Returns a pattern of numbers of digits alone that may be phone numbers."""
    return rf"^(?:{'|'.join(_parts('US') + _parts('CN'))})$"


def _parts(region: str) -> list[str]:
    """Returns a pattern for each kind of number of a region."""
    from phonenumbers import PhoneMetadata

    metadata = PhoneMetadata.metadata_for_region(region)
    descriptions = [getattr(metadata, kind) for kind in _KINDS]
    return [
        each.national_number_pattern
        for each in descriptions
        if each and each.national_number_pattern
    ]
