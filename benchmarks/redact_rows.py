"""Made-up rows for the benchmark of redaction: about 101 bytes, a share with personal data."""

import random
import string

from privacy.detectors.patterns.iban import LENGTHS

_WORDS = (
    "the driver took a longer way round and asked for cash which the rider did not have with him "
    "so they agreed to settle later order ticket status review account update meeting please "
    "confirm thanks delivery window parcel invoice street station customer support number time"
).split()
_SIZE = 101


def made_rows(
    count: int, dice: random.Random, personal: float = 0.3, decoys: float = 0.2
) -> list[str]:
    """Returns rows of which a share holds one personal datum, and another what looks like it."""
    makers, lookalikes = _personal(), _decoys()
    rows = []
    for _ in range(count):
        throw = dice.random()
        extra = ""
        if throw < personal:
            extra = dice.choice(makers)(dice)
        elif throw < personal + decoys:
            extra = dice.choice(lookalikes)(dice)
        rows.append(_row(extra, dice))
    return rows


def _row(extra: str, dice: random.Random) -> str:
    words = []
    size = len(extra) + 1
    while size < _SIZE - 6:
        words.append(dice.choice(_WORDS))
        size += len(words[-1]) + 1
    if extra:
        words.insert(dice.randrange(len(words) + 1), extra)
    return " ".join(words)


def digits(dice: random.Random, count: int) -> str:
    """Returns random digits."""
    return "".join(dice.choices(string.digits, k=count))


def card(dice: random.Random) -> str:
    """Returns a card number whose checksum is right, in one of three layouts."""
    body = dice.choice(("4", "51", "52", "37", "6011"))
    body += digits(dice, (15 if body == "37" else 16) - 1 - len(body))
    total = sum(
        d if place % 2 else d * 2 - 9 * (d > 4) for place, d in enumerate(map(int, reversed(body)))
    )
    full = body + str(-total % 10)
    between = dice.choice(("", "-", " "))
    return between.join(full[i : i + 4] for i in range(0, 16, 4)) if len(full) == 16 else full


def iban(dice: random.Random) -> str:
    """Returns an account number whose checksum is right."""
    country = dice.choice(("DE", "FR", "ES", "AT", "BE"))
    body = digits(dice, LENGTHS[country] - 4)
    rest = int("".join(str(int(c, 36)) for c in body + country + "00")) % 97
    full = f"{country}{98 - rest:02d}{body}"
    if dice.random() < 0.5:
        return full
    return " ".join(full[i : i + 4] for i in range(0, len(full), 4))


def _personal() -> list:  # type: ignore[type-arg]
    return [
        lambda dice: (
            f"{dice.choice(_WORDS)}.{digits(dice, 3)}@example.{dice.choice(('com', 'org'))}"
        ),
        lambda dice: f"({dice.randint(201, 989)}) {dice.randint(200, 999)}-{digits(dice, 4)}",
        lambda dice: f"+44 20 7{digits(dice, 3)} {digits(dice, 4)}",
        card,
        lambda dice: (
            f"{dice.randint(1, 665):03d}-{dice.randint(1, 99):02d}-{dice.randint(1, 9999):04d}"
        ),
        lambda dice: ".".join(str(dice.randint(1, 254)) for _ in range(4)),
        iban,
    ]


def _decoys() -> list:  # type: ignore[type-arg]
    return [
        lambda dice: f"20{digits(dice, 2)}-0{dice.randint(1, 9)}-1{dice.randint(0, 9)}",
        lambda dice: f"order {digits(dice, 12)}",
        lambda dice: f"version {dice.randint(1, 9)}.{dice.randint(1, 30)}.{dice.randint(1, 9)}",
        lambda dice: (
            f"at {dice.randint(0, 23):02d}:{dice.randint(0, 59):02d}:{dice.randint(0, 59):02d}"
        ),
        lambda dice: f"room {dice.randint(100, 999)} of {dice.randint(1000, 9999)}",
        lambda dice: f"user@{dice.choice(_WORDS)}",
    ]
