import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from ggmi.errors import UserError
from ggmi.mixtures.labelled_points import labelled_points, read_table
from ggmi.random import stream

TABLE = pd.DataFrame(
    {
        "kind": ["ape", "bee", "ape", "cod"],
        "length": [1.5, -2.0, 3.0, 1e6],
        "legs": [2, 6, 2, 0],
    }
)


def write(path, table=TABLE):
    """Write a table in the format of the path's ending."""
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        np.savez(path, kind=table["kind"].to_numpy(dtype=str), coordinates=table.drop(columns="kind").to_numpy())
    return str(path)


def refused(source, label="kind"):
    """What is said about a table that cannot be read; always one sentence that names the file."""
    with pytest.raises(UserError) as caught:
        read_table(str(source), label)
    said = str(caught.value)
    assert said.startswith(f"{source}: ")
    assert "\n" not in said
    return said.removeprefix(f"{source}: ")


@pytest.fixture(params=["csv", "parquet", "npz"])
def path(request, tmp_path):
    """Where a table of each format goes."""
    return tmp_path / f"cells.{request.param}"


@pytest.fixture
def csv(tmp_path):
    """Write a CSV file as given and return its path."""

    def make(text):
        place = tmp_path / "cells.csv"
        place.write_bytes(text if isinstance(text, bytes) else text.encode())
        return place

    return make


# Reading.


def test_coordinates_and_labels_are_those_of_the_file(path):
    coordinates, labels = read_table(write(path), "kind")
    np.testing.assert_array_equal(coordinates.to_numpy(), TABLE[["length", "legs"]].to_numpy())
    assert coordinates.to_numpy().dtype == float
    assert labels.astype(str).tolist() == TABLE["kind"].tolist()


def test_any_column_may_be_the_label(tmp_path):
    for suffix in ("csv", "parquet"):
        table = TABLE[["length", "kind", "legs"]].assign(kind=[3, 4, 3, 5])
        coordinates, labels = read_table(write(tmp_path / f"cells.{suffix}", table), "legs")
        assert list(coordinates.columns) == ["length", "kind"]
        assert labels.astype(str).tolist() == ["2", "6", "2", "0"]


def test_the_digits_are_scikit_learns():
    coordinates, labels = read_table("digits", "label")
    expected = load_digits()
    np.testing.assert_array_equal(coordinates.to_numpy(), expected.data)
    np.testing.assert_array_equal(labels.to_numpy(), expected.target)


def test_labels_in_a_csv_file_stay_as_they_are_written(csv):
    _, labels = read_table(str(csv("kind,x\n01,1\n1,2\n1.0,3\ntrue,4\n")), "kind")
    assert labels.tolist() == ["01", "1", "1.0", "true"]


def test_a_byte_order_mark_belongs_to_no_name(csv):
    coordinates, _ = read_table(str(csv("\ufeffkind,x\na,1\nb,2\n")), "kind")
    assert list(coordinates.columns) == ["x"]


@given(
    hnp.arrays(float, st.tuples(st.integers(1, 8), st.integers(1, 4)), elements=st.floats(-1e9, 1e9)),
    st.lists(st.text("abcäπ0123 ,\"'", min_size=1, max_size=5), min_size=8, max_size=8),
)
def test_every_format_gives_back_the_same_numbers_and_names(tmp_path_factory, values, names):
    folder = tmp_path_factory.mktemp("tables")
    table = pd.DataFrame(values, columns=[f"x{i}" for i in range(values.shape[1])])
    table["kind"] = [f"{name}." for name in names[: len(values)]]  # no name that CSV takes for a missing one
    for suffix in ("csv", "parquet", "npz"):
        coordinates, labels = read_table(write(folder / f"t.{suffix}", table), "kind")
        np.testing.assert_array_equal(coordinates.to_numpy(), values)
        assert labels.tolist() == table["kind"].tolist()


# What is said about a bad table.


def test_a_missing_file_is_named(path):
    assert refused(path).startswith("cannot be read as ")


def test_an_empty_file_is_told(path):
    path.touch()
    assert refused(path).startswith(f"cannot be read as {path.suffix[1:]}; the file may be damaged (")


@pytest.mark.parametrize("suffix", ["parquet", "npz"])
def test_a_truncated_file_is_told_wherever_it_ends(tmp_path, suffix):
    path = tmp_path / f"cells.{suffix}"
    whole = Path(write(path)).read_bytes()
    for length in range(0, len(whole) - 1, max(1, len(whole) // 40)):
        path.write_bytes(whole[:length])
        assert refused(path).startswith(f"cannot be read as {suffix}; the file may be damaged (")


def test_a_changed_byte_in_an_npz_file_is_told(tmp_path):
    path = tmp_path / "cells.npz"
    whole = bytearray(Path(write(path)).read_bytes())
    whole[whole.index("ape".encode("utf-32-le"))] ^= 0xFF
    path.write_bytes(whole)
    assert "the file may be damaged (Bad CRC-32" in refused(path)


@pytest.mark.parametrize("suffix", ["parquet", "npz"])
def test_a_file_of_another_format_is_told(tmp_path, suffix):
    path = tmp_path / f"cells.{suffix}"
    path.write_text("kind,x\na,1\n")
    assert refused(path).startswith(f"cannot be read as {suffix}; the file may be damaged (")


def test_a_single_array_is_no_npz_file(tmp_path):
    path = tmp_path / "cells.npz"
    with path.open("wb") as file:
        np.save(file, np.ones((3, 2)))
    assert refused(path) == "cannot be read as npz; the file may be damaged (File is not a zip file)"


def test_a_csv_file_whose_quote_never_closes_is_told(csv):
    assert "the file may be damaged (" in refused(csv('kind,x\na,1\nb,"2\nc,3\n'))


def test_a_row_with_too_many_values_is_told(csv):
    assert "Expected 2 fields in line 3, saw 4" in refused(csv("kind,x\na,1\nb,2,3,4\n"))


def test_rows_that_are_all_longer_than_the_first_line_are_told(csv):
    # Pandas would take the first values for row names and shift every column.
    expected = "rows hold more values than the 2 columns named in the first line"
    assert refused(csv("kind,x\na,1,2\nb,3,4\n")) == expected


@pytest.mark.parametrize(("text", "line"), [(b"kind,x\na,1\n\xfcb,2\n", 3), (b"k\xe4nd,x\na,1\n", 1)])
def test_a_file_that_is_not_utf8_is_told_with_the_line(csv, text, line):
    assert refused(csv(text)) == f"line {line} is not UTF-8"


def test_a_missing_label_is_told_with_the_nearest_name(tmp_path):
    for suffix in ("csv", "parquet"):
        path = tmp_path / f"cells.{suffix}"
        write(path)
        assert refused(path, "kinds") == "there is no column 'kinds'; did you mean 'kind'?"
        assert refused(path, "species") == "there is no column 'species'; allowed: kind, legs, length"
    path = tmp_path / "cells.npz"
    write(path)
    assert refused(path, "kinds") == "there is no array 'kinds'; did you mean 'kind'?"


def test_a_file_with_another_separator_is_told(csv):
    assert refused(csv("kind;x\na;1\n")).startswith("there is no column 'kind'; ")


def test_a_table_without_rows_is_told(tmp_path):
    for suffix in ("csv", "parquet", "npz"):
        path = tmp_path / f"cells.{suffix}"
        write(path, TABLE.iloc[:0])
        assert refused(path) == "has no rows"


def test_a_table_of_labels_alone_is_told(tmp_path):
    for suffix in ("csv", "parquet", "npz"):
        path = tmp_path / f"cells.{suffix}"
        write(path, TABLE[["kind"]])
        assert refused(path) == "there is no column beside 'kind'; at least one coordinate is needed"


@pytest.mark.parametrize("cell", ["zwei", "1,5", "1+2j", "2024-01-02", "0x10"])
def test_a_cell_that_is_no_number_is_told_with_row_and_column(csv, cell):
    place = csv(f'kind,x,y\na,1,2\nb,3,"{cell}"\nc,5,6\n')
    assert refused(place) == f"row 2, column 'y': '{cell}' is not a finite number"


def test_a_long_cell_is_shown_in_short(csv):
    assert len(refused(csv(f"kind,x\na,1\nb,{'z' * 5000}\n"))) < 120


@pytest.mark.parametrize(("cell", "shown"), [("", "nan"), ("NaN", "nan"), ("inf", "inf"), ("-inf", "-inf")])
def test_a_missing_or_infinite_cell_is_told_with_row_and_column(csv, cell, shown):
    expected = f"row 3, column 'x': '{shown}' is not a finite number"
    assert refused(csv(f"kind,x,y\na,1,2\nb,3,4\nc,{cell},6\n")) == expected


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_missing_or_infinite_number_in_a_binary_file_is_told(tmp_path, bad):
    table = TABLE.assign(length=[1.0, bad, 3.0, 4.0])
    for suffix, column in (("parquet", "'length'"), ("npz", "0")):
        path = tmp_path / f"cells.{suffix}"
        write(path, table)
        assert refused(path) == f"row 2, column {column}: '{bad}' is not a finite number"


def test_a_number_whose_square_overflows_is_told(path):
    write(path, TABLE.assign(length=[1.0, 2.0, -1e200, 3.0]))
    assert refused(path).endswith("'-1e+200' is larger than 1e+100")


def test_a_row_without_a_label_is_told(csv, tmp_path):
    assert refused(csv("kind,x\na,1\n,2\n")) == "row 2 has no kind"
    path = tmp_path / "cells.parquet"
    write(path, TABLE.assign(kind=["a", "b", None, "c"]))
    assert refused(path) == "row 3 has no kind"


def test_a_column_of_another_kind_is_told(tmp_path):
    path = tmp_path / "cells.parquet"
    write(path, TABLE.assign(legs=pd.to_timedelta([1, 2, 3, 4], unit="s").astype("timedelta64[s]")))
    assert refused(path) == "column 'legs' holds timedelta64[s]; allowed: real numbers"
    path = tmp_path / "cells.npz"
    np.savez(path, kind=[1, 2], x=np.array([[1, 1j], [2, 3]]))
    assert refused(path) == "column 0 holds complex128; allowed: real numbers"


@pytest.mark.parametrize(
    ("arrays", "shapes"),
    [
        ({"kind": [1, 2], "x": np.ones((2, 2)), "y": np.ones((2, 2))}, "kind (2,), x (2, 2), y (2, 2)"),
        ({"kind": [1, 2]}, "kind (2,)"),
        ({"kind": [1, 2], "x": np.ones(2)}, "kind (2,), x (2,)"),
        ({"kind": [1, 2], "x": np.ones((2, 2, 2))}, "kind (2,), x (2, 2, 2)"),
        ({"kind": [1, 2, 3], "x": np.ones((2, 2))}, "kind (3,), x (2, 2)"),
        ({"kind": 1, "x": np.ones((2, 2))}, "kind (), x (2, 2)"),
        ({"kind": [[1], [2]], "x": np.ones((2, 2))}, "kind (2, 1), x (2, 2)"),
    ],
)
def test_arrays_of_other_number_or_shape_are_told(tmp_path, arrays, shapes):
    path = tmp_path / "cells.npz"
    np.savez(path, **arrays)
    assert refused(path) == (
        f"must hold 'kind' of shape (n,) and one array of coordinates of shape (n, features); it holds {shapes}"
    )


class Trap:
    """Unpickled, it makes a file."""

    def __reduce__(self):
        return os.mkdir, ("harmed",)


@pytest.mark.parametrize("bad", ["kind", "x"])
def test_a_pickled_array_is_refused_and_not_unpickled(tmp_path, monkeypatch, bad):
    monkeypatch.chdir(tmp_path)
    arrays = {"kind": np.array(["a", "b"]), "x": np.ones((2, 2))}
    arrays[bad] = np.array([Trap(), Trap()])
    np.savez(tmp_path / "cells.npz", **arrays)
    said = refused(tmp_path / "cells.npz")
    assert said == (
        "cannot be read as npz; the file may be damaged (Object arrays cannot be loaded when allow_pickle=False)"
    )
    assert not (tmp_path / "harmed").exists()


def test_the_trap_would_have_gone_off(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("cells.npz", x=np.array([Trap()]))
    with np.load("cells.npz", allow_pickle=True) as archive:
        archive["x"]
    assert (tmp_path / "harmed").is_dir()


def test_a_column_of_whole_numbers_with_gaps_is_told(tmp_path):
    path = tmp_path / "cells.parquet"
    write(path, TABLE.assign(legs=pd.Series([2, None, 2, 0], dtype="Int64")))
    assert refused(path) == "row 2, column 'legs': '<NA>' is not a finite number"


def test_an_archive_of_something_else_is_told(tmp_path):
    with zipfile.ZipFile(tmp_path / "cells.npz", "w") as file:
        file.writestr("kind.npy", b"no array")
    assert refused(tmp_path / "cells.npz").endswith("it holds kind ()")


@given(st.binary(max_size=300))
def test_whatever_a_file_holds_it_is_a_table_or_a_users_mistake(tmp_path_factory, content):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("kind.npy", content)
    folder = tmp_path_factory.mktemp("bytes")
    for name, held in (
        ("t.csv", content),
        ("u.csv", b"kind,x\n" + content),
        ("t.parquet", content),
        ("u.parquet", b"PAR1" + content + b"PAR1"),
        ("t.npz", content),
        ("u.npz", archive.getvalue()),
    ):
        (folder / name).write_bytes(held)
        try:
            coordinates, labels = read_table(str(folder / name), "kind")
        except UserError as error:
            said = str(error)
            assert said.startswith(str(folder / name))
        else:
            assert np.isfinite(coordinates.to_numpy()).all()
            assert len(coordinates) == len(labels) > 0


# Reducing to d dimensions.


@pytest.fixture
def blobs():
    """Points in five dimensions with a constant column, and their labels."""
    numbers = stream(1, "blobs")
    values = numbers.normal(size=(60, 5)) * [9.0, 5.0, 3.0, 0.5, 0.0] + [100, 0, -5, 0, 0.1]
    return pd.DataFrame(values), pd.Series(numbers.integers(0, 3, 60))


@pytest.mark.parametrize("d", [1, 2, 4])
def test_points_have_d_principal_components_up_to_one_factor(blobs, d):
    found = labelled_points(*blobs, d, standardise=False).points
    expected = PCA(d, svd_solver="full").fit_transform(blobs[0].to_numpy())
    factors = found / expected
    assert found.shape == (60, d)
    np.testing.assert_allclose(factors, factors[0, 0], rtol=1e-9)
    # The spread of a uniform variable on [0, 10].
    assert found.std(axis=0).max() == pytest.approx(10 / np.sqrt(12), rel=1e-12)


def test_components_come_in_order_of_their_spread(blobs):
    spread = labelled_points(*blobs, 4, standardise=False).points.std(axis=0)
    assert (np.diff(spread) < 0).all()


def test_distances_keep_their_proportions_when_no_column_is_lost(blobs):
    coordinates, labels = blobs
    found = labelled_points(coordinates, labels, 4, standardise=False).points
    ratios = [
        np.linalg.norm(found[i] - found[j]) / np.linalg.norm(coordinates.loc[i] - coordinates.loc[j])
        for i, j in ((0, 1), (5, 40), (20, 59))
    ]
    assert ratios == pytest.approx([ratios[0]] * 3)


def test_standardised_columns_weigh_the_same(blobs):
    coordinates, labels = blobs
    rescaled = coordinates * [1e-3, 1.0, 40.0, 7.0, 1.0]
    found, other = (labelled_points(c, labels, 2, standardise=True).points for c in (coordinates, rescaled))
    np.testing.assert_allclose(found, other, atol=1e-9)
    plain, unequal = (labelled_points(c, labels, 2, standardise=False).points for c in (coordinates, rescaled))
    assert not np.allclose(plain, unequal, atol=0.1)


@given(st.floats(1e-60, 1e60))
def test_the_unit_of_the_table_does_not_matter(unit):
    values = stream(2, "unit").normal(size=(30, 3)) * [3, 2, 1]
    labels = pd.Series(["a", "b", "c"] * 10)
    plain, scaled = (labelled_points(pd.DataFrame(v), labels, 2, standardise=False) for v in (values, values * unit))
    np.testing.assert_allclose(scaled.points, plain.points, atol=1e-8)


def test_classes_are_numbered_in_the_order_of_their_names(blobs):
    coordinates, _ = blobs
    labels = pd.Series([10, 9, 2] * 20)
    found = labelled_points(coordinates, labels, 2, standardise=False)
    assert found.names == ("10", "2", "9")
    assert [found.names[c] for c in found.classes] == labels.astype(str).tolist()


def test_numbers_and_text_name_the_same_classes(blobs):
    coordinates, labels = blobs
    one, other = (labelled_points(coordinates, kind, 2, standardise=False) for kind in (labels, labels.astype(str)))
    assert one.names == other.names
    np.testing.assert_array_equal(one.classes, other.classes)


@pytest.mark.parametrize("standardise", [False, True])
def test_fewer_varying_columns_than_d_are_told(blobs, standardise):
    # The fifth column is 0.1 throughout, whose computed standard deviation is not quite zero.
    with pytest.raises(UserError) as caught:
        labelled_points(*blobs, 5, standardise=standardise)
    assert str(caught.value) == (
        "dimensions = 5 needs as many rows and varying columns; the table has 60 rows and 4 varying columns"
    )


def test_fewer_rows_than_d_are_told():
    with pytest.raises(UserError) as caught:
        labelled_points(pd.DataFrame([[1, 2, 4], [3, 5, 9]]), pd.Series(["a", "b"]), 3, standardise=False)
    assert str(caught.value) == (
        "dimensions = 3 needs as many rows and varying columns; the table has 2 rows and 3 varying columns"
    )


def test_the_same_table_gives_the_same_bytes_in_another_process():
    script = (
        "import hashlib; from ggmi.mixtures.labelled_points import labelled_points, read_table;"
        "points = labelled_points(*read_table('digits', ''), 5, standardise=True).points;"
        "print(hashlib.sha256(points.tobytes()).hexdigest())"
    )
    found = {subprocess.check_output([sys.executable, "-c", script], timeout=120) for _ in range(2)}
    assert len(found) == 1
