"""Text that is hard to cut into records: of the characters and pieces that mean something."""

from hypothesis import strategies as st

CSV = st.text(',"\n\r1a', max_size=60).map(str.encode)
TSV = st.text('\t"\n\r1a', max_size=60).map(str.encode)
PIECES = [
    *('{"a":', '"a"', "1", "2.5", '"', "}", "{", ",", "null", "[", "]", '"b":"x"', "\\", "Inf"),
    *("\n", "\r\n", "\r", " ", "é", "NaN", "-", '{"a":1}\n', '{"b":"\\u0000"}\n', '{"a":"7"}\n'),
]
JSONL = st.lists(st.sampled_from(PIECES), max_size=20).map("".join).map(str.encode)
