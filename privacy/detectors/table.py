"""The table of detectors, by Google's names of infoTypes, and what needs a model."""

from privacy.detectors.codes import (
    asia,
    north_america,
    rest_of_europe,
    rest_of_world,
    things,
    west_europe,
)
from privacy.detectors.detector import Detector
from privacy.detectors.patterns import accounts, credentials, dates, web
from privacy.detectors.patterns.cards import CREDIT_CARD
from privacy.detectors.patterns.email import EMAIL
from privacy.detectors.patterns.iban import IBAN
from privacy.detectors.patterns.ip import IP_ADDRESS
from privacy.detectors.patterns.phone import PHONE
from privacy.detectors.patterns.ssn import US_SSN

DETECTORS: dict[str, Detector] = {
    detector.name: detector
    for detector in (
        *(EMAIL, PHONE, CREDIT_CARD, US_SSN, IP_ADDRESS, IBAN),
        *web.DETECTORS,
        *dates.DETECTORS,
        *accounts.DETECTORS,
        *credentials.DETECTORS,
        *things.CODES,
        *north_america.CODES,
        *west_europe.CODES,
        *rest_of_europe.CODES,
        *asia.CODES,
        *rest_of_world.CODES,
    )
}
"""What the local engine finds by itself."""

NEED_A_MODEL = frozenset(
    """
    PERSON_NAME FIRST_NAME LAST_NAME MALE_NAME FEMALE_NAME STREET_ADDRESS LOCATION
    LOCATION_COORDINATES ORGANIZATION_NAME ETHNIC_GROUP MEDICAL_TERM GENERIC_ID
    """.split()
)
"""What nobody finds by a pattern."""
