import threading

import pytest

from transforms.files.ahead import ahead


def test_items_in_order():
    assert list(ahead(range(1000))) == list(range(1000))


def test_an_error_comes_after_the_items_before_it():
    def items():
        yield 1
        raise ValueError("broken")

    found = []
    with pytest.raises(ValueError, match="broken"):
        found.extend(ahead(items()))
    assert found == [1]


def test_it_reads_ahead_but_not_far_and_ends_with_its_reader():
    made, before = [], threading.active_count()

    def items():
        for number in range(1000):
            made.append(number)
            yield number

    reader = ahead(items(), 2)
    assert next(reader) == 0
    reader.close()
    assert len(made) <= 5
    assert threading.active_count() == before
