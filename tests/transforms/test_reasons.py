"""docs/dead_letters.md knows every reason, and every field of a dead letter."""

from tests.support import ROOT
from transforms.commit.dead_letters import DEAD_LETTERS
from transforms.reasons import Reason

TEXT = (ROOT / "docs" / "dead_letters.md").read_text()


def test_all_are_documented():
    table = TEXT.partition("## Reasons")[2].partition("##")[0]
    assert [reason.value for reason in Reason if f"`{reason.value}`" not in table] == []
    fields = TEXT.partition("| field |")[2].partition("## Reasons")[0]
    assert [name for name in DEAD_LETTERS.names if f"`{name}`" not in fields] == []
