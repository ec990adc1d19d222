"""Subjects are erased from what redact wrote: by its index, in place, with a certificate."""

import gzip
import json

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from beam_jobs import erase, redact
from privacy import is_genuine

POLICY = """
inspect_config: {info_types: [{name: EMAIL_ADDRESS}]}
deidentify_config:
  info_type_transformations:
    transformations: [{primitive_transformation: {replace_with_info_type_config: {}}}]
"""
KEY = "env:INDEX_KEY"
NOTES = ["first", "write to bob@example.com", None, "last", "bob again"]
MAILS = ["amy@example.org", "bob@example.com", "bob@example.com", None, "bob@example.com"]


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("INDEX_KEY", "YWJjZGVmZ2hpamtsbW5vcA==")


def flags(**named):
    return [f"--{name}={value}" for name, value in named.items()]


@pytest.fixture
def hidden(tmp_path):
    """Redacts rows about two people, with an index, and returns where they are."""
    given = tmp_path / "given"
    given.mkdir()
    (given / "p.yaml").write_text(POLICY)
    table = pa.table({"id": [1, 2, 3, 4, 5], "mail": MAILS, "note": NOTES, "tags": [["a"]] * 5})
    pq.write_table(table, given / "in.parquet")
    index = {"subject_index": f"{tmp_path}/index/", "subject_columns": "mail", "subject_key": KEY}
    where = {"input": given / "in.parquet", "policy": given / "p.yaml"}
    assert redact.main(flags(output=f"{tmp_path}/out/", **where, **index)) == 0
    return tmp_path / "out"


def erased(tmp_path, *argv, **named):
    (tmp_path / "who.csv").write_text("mail\nbob@example.com\neve@example.net\n")
    named = {
        "input": f"{tmp_path}/out/",
        "subject_index": f"{tmp_path}/index/",
        "subjects": tmp_path / "who.csv",
        "subject_key": KEY,
        "output": f"{tmp_path}/kept/",
        "who": "ada",
        "reason": "GDPR-17",
        **named,
    }
    return erase.main([*flags(**named), *argv])


def ids(folder):
    return sorted(ds.dataset(folder).to_table()["id"].to_pylist())


def certificate(folder, at="kept"):
    content = (folder / f"{at}.erasure/certificate.json").read_bytes()
    assert is_genuine(content, KEY)
    return json.loads(content)


def test_the_index_tells_nobody_who_is_in_it(hidden, tmp_path):
    index = ds.dataset(tmp_path / "index").to_table()
    assert index.column_names == ["subject", "row"]
    assert [len(each) for each in index["subject"].to_pylist()] == [16] * 4
    assert len(set(index["subject"].to_pylist())) == 2
    names = ["id", "mail", "note", "tags"]
    assert ds.dataset(hidden).to_table().column_names == names
    told = "".join(str(path.read_bytes()) for path in (tmp_path / "index").glob("*.parquet"))
    assert "example" not in told
    assert "millrace_subject" not in (tmp_path / "out.redaction/report.html").read_text()


def test_rows_go_and_the_rest_stays_as_it_was(hidden, tmp_path, capsys):
    before = {row["id"]: row for row in ds.dataset(hidden).to_table().to_pylist()}
    assert erased(tmp_path) == 0
    after = ds.dataset(tmp_path / "kept").to_table().to_pylist()
    assert sorted(row["id"] for row in after) == [1, 4]
    assert all(row == before[row["id"]] for row in after)
    assert ids(hidden) == [1, 2, 3, 4, 5]
    told = certificate(tmp_path)
    assert {name: told[name] for name in told if name.startswith(("rows", "sub", "index"))} == {
        "subject_index": f"{tmp_path}/index/",
        "subjects_asked": 2,
        "subjects_in_index": 1,
        "index_entries": 3,
        "rows_seen": 5,
        "rows_matched": 3,
        "rows_removed": 3,
        "rows_rewritten": 0,
    }
    nothing = {"subjects_not_in_index": 1, "rows_not_found": 0, "files_not_read_whole": 0}
    assert told["could_not"] == nothing
    (file,) = told["files"]
    assert file["file"].endswith("out/part-00000-of-00001.parquet")
    assert (file["output"], file["rows_removed"]) == ("part-00000-of-00001.parquet", 3)
    assert (told["who"], told["why"]) == ("ada", "GDPR-17")
    said = "".join(capsys.readouterr())
    assert "rows suppressed" in said
    evidence = said + (tmp_path / "kept.erasure/certificate.json").read_text()
    assert "bob@example.com" not in evidence + (tmp_path / "kept/_millrace/run.json").read_text()


def test_in_place_all_or_nothing(hidden, tmp_path, monkeypatch, capsys):
    assert erased(tmp_path, output=f"{hidden}/") == 2
    assert "--overwrite" in capsys.readouterr().err
    monkeypatch.setenv("INDEX_KEY", "YWJjZGVmZ2hpamtsbW5vcQ==")
    assert erased(tmp_path, "--overwrite", output=f"{hidden}/", max_rejected_fraction=0) == 0
    assert ids(hidden) == [1, 2, 3, 4, 5], "of another key nobody is known"
    assert certificate(tmp_path, "out")["could_not"]["subjects_not_in_index"] == 2
    monkeypatch.setenv("INDEX_KEY", "YWJjZGVmZ2hpamtsbW5vcA==")
    assert erased(tmp_path, "--overwrite", output=f"{hidden}/") == 0
    assert ids(hidden) == [1, 4]
    assert erased(tmp_path, "--overwrite", output=f"{hidden}/") == 0
    assert certificate(tmp_path, "out")["could_not"]["rows_not_found"] == 3


def test_tokens_that_nobody_can_take_back(hidden, tmp_path):
    assert erased(tmp_path, retokenise="mail,note") == 0
    rows = {row["id"]: row for row in ds.dataset(tmp_path / "kept").to_table().to_pylist()}
    assert sorted(rows) == [1, 2, 3, 4, 5]
    assert rows[1]["mail"] == "[EMAIL_ADDRESS]"
    assert rows[2]["mail"] == rows[3]["mail"] != "[EMAIL_ADDRESS]"
    assert rows[3]["note"] is None
    assert len(rows[2]["note"]) == 44
    told = certificate(tmp_path)
    assert (told["rows_rewritten"], told["rows_removed"]) == (3, 0)
    assert erased(tmp_path, retokenise="id", output=f"{tmp_path}/no/") == 2


def test_a_changed_certificate_is_found_out(hidden, tmp_path):
    assert erased(tmp_path) == 0
    content = (tmp_path / "kept.erasure/certificate.json").read_bytes()
    assert not is_genuine(content.replace(b'"rows_matched": 3', b'"rows_matched": 4'), KEY)


def test_mistakes_stop_the_launcher(hidden, tmp_path, capsys):
    where = {"input": tmp_path / "given/in.parquet", "policy": tmp_path / "given/p.yaml"}
    for named, why in (
        ({"subject_index": f"{tmp_path}/i/"}, "a subject index needs --subject_columns"),
        ({"row_key": "id"}, "--row_key is for --subject_index"),
        (
            {"subject_index": f"{tmp_path}/i/", "subject_columns": "mial", "subject_key": KEY},
            "there is no column 'mial'; did you mean 'mail'?",
        ),
    ):
        assert redact.main(flags(output=f"{tmp_path}/o/", **where, **named)) == 2
        assert why in capsys.readouterr().err
    assert erased(tmp_path, subject_index=f"{hidden}/") == 2
    assert "is no subject index" in capsys.readouterr().err
    assert erased(tmp_path, subject_key="base64:YWJjZGVmZ2hpamtsbW5vcA==") == 2


def test_rows_of_text_files_are_known_by_their_key(hidden, tmp_path):
    """A file of text is read in other types: a row's own key, or all its texts, tell it."""
    index = {
        "subject_index": f"{tmp_path}/index2/",
        "subject_columns": "mail,id",
        "subject_key": KEY,
        "row_key": "id",
    }
    (tmp_path / "given/in.csv").write_text("id,mail,x\n7,bob@example.com,1.0\n8,,2\n9,a@x.org,3\n")
    where = {"input": tmp_path / "given/in.csv", "policy": tmp_path / "given/p.yaml"}
    out = f"{tmp_path}/csv/?format=csv"
    assert redact.main(flags(output=out, **where, **index)) == 0
    (tmp_path / "ids.csv").write_text("id\n8\n")
    asked = {"subjects": tmp_path / "ids.csv", "row_key": "id", "input": f"{tmp_path}/csv/*.csv"}
    found = {"subject_index": f"{tmp_path}/index2/", "output": f"{tmp_path}/kept/?format=parquet"}
    assert erased(tmp_path, **asked, **found) == 0
    assert ids(tmp_path / "kept") == [7, 9]


@pytest.fixture
def spread(tmp_path):
    """Redacts rows, and puts them into folders by day, as files of three formats."""
    given = tmp_path / "given"
    given.mkdir()
    (given / "p.yaml").write_text(POLICY)
    people = ["amy@x.org", "bob@example.com"]
    table = pa.table(
        {
            "id": [f"{n:03d}" for n in range(12)],
            "mail": [people[n % 2] for n in range(12)],
            "n": [n + 0.5 for n in range(12)],
        }
    )
    pq.write_table(table, given / "in.parquet")
    index = {"subject_index": f"{tmp_path}/index/", "subject_columns": "mail", "subject_key": KEY}
    where = {"input": given / "in.parquet", "policy": given / "p.yaml"}
    argv = flags(output=f"{tmp_path}/flat/", row_key="id", **where, **index)
    assert redact.main(argv) == 0
    rows = ds.dataset(tmp_path / "flat").to_table().sort_by("id")
    out = tmp_path / "out"
    for day in range(3):
        (out / f"day=2026-01-0{day + 1}/shop=a").mkdir(parents=True)
    place = [out / f"day=2026-01-0{day}/shop=a" for day in (1, 2, 3)]
    pq.write_table(rows.slice(0, 4), place[0] / "a.parquet")
    csv.write_csv(rows.slice(4, 4), place[1] / "b.csv")
    lines = "".join(json.dumps(row) + "\n" for row in rows.slice(8, 4).to_pylist())
    with gzip.open(place[2] / "c.jsonl.gz", "wt") as stream:
        stream.write(lines)
    return out


def contents(folder):
    """Returns the rows of each file, by its name."""
    found = {}
    for path in sorted(folder.rglob("*.*")):
        if "_millrace" in str(path):
            continue
        kind = path.name.partition(".")[2]
        if kind == "parquet":
            rows = pq.read_table(path, partitioning=None).to_pylist()
        elif kind == "csv":
            rows = [line.replace('"', "") for line in path.read_text().splitlines()]
        else:
            rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
        found[str(path.relative_to(folder))] = rows
    return found


def test_folders_of_several_formats_and_then_in_place(spread, tmp_path):
    before = contents(spread)
    assert erased(tmp_path, input=f"{spread}/", row_key="id") == 0
    after = contents(tmp_path / "kept")
    parquet, text, lines = sorted(before)
    assert sorted(after) == [parquet, text, lines]
    for name in (parquet, lines):
        assert after[name] == [row for row in before[name] if int(row["id"]) % 2 == 0]
    assert after[text] == ["id,mail,n", "004,[EMAIL_ADDRESS],4.5", "006,[EMAIL_ADDRESS],6.5"]
    told = certificate(tmp_path)
    assert [file["output"] for file in told["files"]] == [parquet, text, lines]
    assert {file["rows_seen"] for file in told["files"]} == {4}
    assert {file["rows_removed"] for file in told["files"]} == {2}
    assert (told["rows_seen"], told["rows_matched"]) == (12, 6)
    assert told["could_not"]["rows_not_found"] == 0
    (tmp_path / "amy.csv").write_text("mail\namy@x.org\n")
    kept = f"{tmp_path}/kept/"
    in_place = {"input": kept, "output": kept, "row_key": "id", "subjects": tmp_path / "amy.csv"}
    assert erased(tmp_path, "--overwrite", **in_place) == 0
    assert contents(tmp_path / "kept") == {parquet: [], text: ["id,mail,n"], lines: []}
    assert (
        erased(
            tmp_path, "--overwrite", **{**in_place, "input": f"{spread}/", "output": f"{spread}/"}
        )
        == 2
    )


def test_tokens_in_folders_of_several_formats(spread, tmp_path):
    asked = {"input": f"{spread}/", "row_key": "id", "retokenise": "mail"}
    assert erased(tmp_path, **asked) == 0
    mails = [
        row["mail"]
        for rows in contents(tmp_path / "kept").values()
        for row in rows[-4:]
        if isinstance(row, dict)
    ]
    text = contents(tmp_path / "kept")["day=2026-01-02/shop=a/b.csv"]
    mails += [line.split(",")[1] for line in text[1:]]
    tokens = [mail for mail in mails if mail != "[EMAIL_ADDRESS]"]
    assert (len(mails), len(tokens), len(set(tokens))) == (12, 6, 1)
    told = certificate(tmp_path)
    assert [file["rows_rewritten"] for file in told["files"]] == [2, 2, 2]


def test_one_format_for_all(spread, tmp_path):
    asked = {"input": f"{spread}/", "row_key": "id", "output": f"{tmp_path}/kept/?format=parquet"}
    assert erased(tmp_path, **asked) == 0
    made = contents(tmp_path / "kept")
    assert sorted(made) == [
        f"day=2026-01-0{day}/shop=a/{name}.parquet" for day, name in enumerate("abc", 1)
    ]
    assert sum(map(len, made.values())) == 6


def test_a_file_that_cannot_be_read_is_told_and_nothing_is_published(spread, tmp_path):
    broken = spread / "day=2026-01-03/shop=a/c.jsonl.gz"
    broken.write_bytes(broken.read_bytes()[:-20])
    assert erased(tmp_path, input=f"{spread}/", row_key="id") == 3
    assert not (tmp_path / "kept").exists()
    told = certificate(tmp_path)
    assert told["could_not"]["files_not_read_whole"] == 1
    assert [file["could_not_read"] for file in told["files"]] == [0, 0, 1]
