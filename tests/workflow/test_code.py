import ast
import atexit
import importlib.util
import re
import shutil
import textwrap
from pathlib import Path

import pytest

from ggmi.workflow import code

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def remembered(tmp_path_factory):
    """What was read of files is remembered here: whatever a person's own cache holds costs no test its time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def digests(root, *functions):
    """Digests of every script below a root that holds `src/ggmi` and `workflow/scripts`.

    The module under test looks for the package around its own file, and reads each file once, so
    a fresh copy of it is loaded from the root every time. It writes down at once what it has read.
    """
    spec = importlib.util.spec_from_file_location("copied_code", root / "src/ggmi/workflow/code.py")
    copied = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copied)
    scripts = sorted(root.glob("workflow/scripts/*.py"))
    found = {path.stem: copied.script_digest(path, *functions) for path in scripts}
    atexit.unregister(copied._keep)
    copied._keep(copied._known(), 0)
    return found


@pytest.fixture
def small(tmp_path):
    """Write a small package and its scripts, and return the scripts' digests."""

    def build(files):
        shutil.rmtree(tmp_path / "built", ignore_errors=True)
        for name, text in files.items():
            path = tmp_path / "built" / ("workflow/scripts" if name.startswith("use_") else "src/ggmi") / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        home = tmp_path / "built/src/ggmi/workflow"
        home.mkdir(parents=True, exist_ok=True)
        shutil.copy(code.__file__, home)
        return digests(tmp_path / "built")

    return build


@pytest.fixture
def changed(small):
    """Scripts whose digests change when one text in one file is replaced by another."""

    def compare(files, name, old, new):
        assert files[name].count(old) == 1
        before = small(files)
        after = small({**files, name: files[name].replace(old, new)})
        return {script for script in before if before[script] != after[script]}

    return compare


PACKAGE = {
    "__init__.py": "",
    "numbers.py": '''
        """Numbers."""
        import math

        SCALE = 2.0
        LIMITS: tuple = (0, 10)
        LOW, HIGH = LIMITS
        NOBODY = 1


        def cached(function):
            return function


        def helper(x):
            """Help."""
            return SCALE * x  # a comment


        def near(x, reach=HIGH):
            return helper(x) + reach


        @cached
        def far(x):
            return math.sqrt(x)


        class Box:
            """A box."""

            SIDES = 6

            def volume(self):
                return self.SIDES ** 3


        def nobody(x):
            return NOBODY - x
    ''',
    "shapes.py": """
        from ggmi.numbers import Box as Crate
        from ggmi.numbers import near

        def cube():
            return Crate().volume()

        def ring(x):
            return near(x)

        def dot():
            return 0
    """,
    "front.py": """
        from ggmi.shapes import ring
        from ggmi.numbers import far as distant
    """,
    "use_cube.py": "from ggmi.shapes import cube\nprint(cube())\n",
    "use_ring.py": "from ggmi.shapes import ring\nprint(ring(1))\n",
    "use_front.py": "from ggmi import front\nprint(front.ring(1))\n",
    "use_far.py": "from ggmi.front import distant\nprint(distant(1))\n",
    "use_alias.py": "import ggmi.numbers as n\nprint(n.far(1))\n",
    "use_whole.py": "import ggmi.shapes\nprint(ggmi.shapes.dot(), ggmi.numbers.LOW)\n",
    "use_nothing.py": "import os\nprint(os.name)\n",
}
RING = {"use_ring", "use_front"}
FAR = {"use_far", "use_alias"}


@pytest.mark.parametrize(
    ("name", "old", "new", "users"),
    [
        ("shapes.py", "return near(x)", "return near(x + 1)", RING),
        ("numbers.py", "SCALE * x", "SCALE + x", RING),
        ("numbers.py", "SCALE = 2.0", "SCALE = 3.0", RING),
        ("numbers.py", "reach=HIGH", "reach=7", RING),
        ("numbers.py", "def near(x, ", "def near(x, *, ", RING),
        ("numbers.py", "LIMITS: tuple = (0, 10)", "LIMITS: tuple = (0, 11)", {*RING, "use_whole"}),
        ("numbers.py", "LOW, HIGH = LIMITS", "HIGH, LOW = LIMITS", {*RING, "use_whole"}),
        ("numbers.py", "math.sqrt(x)", "math.cbrt(x)", FAR),
        ("numbers.py", "@cached\n", "\n", FAR),
        ("numbers.py", "return function", "return lambda *a: function(*a)", FAR),
        ("numbers.py", "self.SIDES ** 3", "self.SIDES ** 2", {"use_cube"}),
        ("numbers.py", "SIDES = 6", "SIDES = 8", {"use_cube"}),
        ("numbers.py", "class Box:", "class Box(dict):", {"use_cube"}),
        ("shapes.py", "return 0", "return 1", {"use_whole"}),
        ("front.py", "import ring", "import cube as ring", {"use_front"}),
        ("numbers.py", "NOBODY - x", "NOBODY + x", set()),
        ("numbers.py", "NOBODY = 1", "NOBODY = 2", set()),
        ("use_far.py", "distant(1)", "distant(2)", {"use_far"}),
        ("use_nothing.py", "os.name", "os.sep", {"use_nothing"}),
    ],
)
def test_an_edit_changes_the_scripts_that_reach_it_and_no_others(changed, name, old, new, users):
    assert changed(PACKAGE, name, old, new) == users


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("numbers.py", "  # a comment", ""),
        ("numbers.py", "a comment", "another comment"),
        ("numbers.py", '"""Numbers."""', '"""Counts."""'),
        ("numbers.py", '"""Numbers."""', ""),
        ("numbers.py", '"""Help."""', '"""Help more."""'),
        ("numbers.py", '            """Help."""\n', ""),
        ("numbers.py", '            """A box."""\n', ""),
        ("shapes.py", "return near(x)", '"""Ring."""\n            return near(x)'),
        ("numbers.py", "return SCALE * x", "return (SCALE\n                    *x)"),
        ("numbers.py", "SCALE = 2.0", "SCALE  =  2.0\n\n"),
        ("use_far.py", "print(", "# say it\nprint("),
        ("use_nothing.py", "import os", '"""Say the name."""\nimport os'),
    ],
)
def test_comments_docstrings_and_formatting_do_not_count(changed, name, old, new):
    assert changed(PACKAGE, name, old, new) == set()


def test_a_digest_is_sixteen_hexadecimal_digits_and_the_same_each_time(small):
    first = small(PACKAGE)
    assert all(re.fullmatch("[0-9a-f]{16}", digest) for digest in first.values())
    assert len(set(first.values())) == len(first)
    assert small(PACKAGE) == first


def test_where_the_project_lies_does_not_count(small, tmp_path):
    first = small(PACKAGE)
    shutil.move(tmp_path / "built", tmp_path / "moved")
    assert digests(tmp_path / "moved") == first


def test_the_order_of_definitions_does_not_count(small):
    turned = PACKAGE["shapes.py"].split("\n\n")
    other = "\n\n".join([turned[0], *reversed(turned[1:])])
    assert other != PACKAGE["shapes.py"]
    assert small({**PACKAGE, "shapes.py": other}) == small(PACKAGE)


def test_statements_that_run_on_import_count_for_the_modules_users_only(changed):
    package = {**PACKAGE, "numbers.py": PACKAGE["numbers.py"] + "\n        helper(LOW)\n"}
    assert changed(package, "numbers.py", "helper(LOW)", "helper(HIGH)") == set(package_users(package))


def package_users(package):
    """Scripts that use anything of `numbers`."""
    return {name.removesuffix(".py") for name in package if name.startswith("use_")} - {"use_nothing"}


def test_an_import_inside_a_function_is_followed(changed):
    package = {
        "late.py": "def work():\n    from ggmi.heavy import lift\n    return lift()\n\ndef rest():\n    return 0\n",
        "heavy.py": "def lift():\n    return 1\n",
        "use_work.py": "from ggmi.late import work\nwork()\n",
        "use_rest.py": "from ggmi.late import rest\nrest()\n",
    }
    assert changed(package, "heavy.py", "return 1", "return 2") == {"use_work"}


def test_a_subpackages_names_are_found_in_its_init(changed):
    package = {
        "parts/__init__.py": "from ggmi.parts.inner import one\n\nTWO = 2\n",
        "parts/inner.py": "def one():\n    return 1\n",
        "use_one.py": "from ggmi.parts import one\none()\n",
        "use_two.py": "import ggmi.parts\nggmi.parts.TWO\n",
        "use_module.py": "from ggmi.parts import inner\ninner.one()\n",
    }
    assert changed(package, "parts/inner.py", "return 1", "return 2") == {"use_one", "use_module"}
    assert changed(package, "parts/__init__.py", "TWO = 2", "TWO = 3") == {"use_two"}


@pytest.mark.parametrize(
    "modules",
    [
        # Functions that call one another, modules that import one another.
        {
            "a.py": "from ggmi.b import g\n\ndef f():\n    return g()\n",
            "b.py": "import ggmi.a\n\ndef g():\n    return ggmi.a.f() + 1\n",
        },
        # Names that go round in a circle and are defined nowhere.
        {"a.py": "from ggmi.b import f\n", "b.py": "from ggmi.a import f\n"},
        {"a.py": "from ggmi.a import f\n"},
    ],
)
def test_circles_end(small, modules):
    found = small({**modules, "use_f.py": "from ggmi.a import f\nf()\n"})
    assert re.fullmatch("[0-9a-f]{16}", found["use_f"])


def test_an_edit_in_a_circle_is_seen_from_anywhere_in_it(changed):
    package = {
        "a.py": "from ggmi.b import g\n\ndef f():\n    return g()\n",
        "b.py": "import ggmi.a\n\ndef g():\n    return ggmi.a.f() + 1\n",
        "use_f.py": "from ggmi.a import f\nf()\n",
        "use_g.py": "from ggmi.b import g\ng()\n",
    }
    assert changed(package, "b.py", "+ 1", "+ 2") == {"use_f", "use_g"}
    assert changed(package, "a.py", "return g()", "return -g()") == {"use_f", "use_g"}


def test_a_script_that_is_broken_is_not_digested(small):
    with pytest.raises(SyntaxError):
        small({"use_it.py": "def f(:\n"})


# This project itself.


@pytest.fixture(scope="module")
def here():
    """Digests of this project's scripts."""
    return {path.stem: code.script_digest(path) for path in sorted((ROOT / "workflow/scripts").glob("*.py"))}


@pytest.fixture
def copy(tmp_path):
    """A copy of the library and of the scripts, which has the same digests until it is changed."""
    for folder in ("src/ggmi", "workflow/scripts"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_the_digests_of_this_project_are_those_of_a_copy(copy, here):
    assert digests(copy) == here


def test_every_file_reformatted_without_comments_or_docstrings_is_the_same_code(copy, here):
    for path in [*copy.glob("src/ggmi/**/*.py"), *copy.glob("workflow/scripts/*.py")]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            described = isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node)
            if described:
                node.body = node.body[1:] or [ast.Pass()]
        if path.name != "code.py":  # the code under test keeps its own text
            path.write_text(ast.unparse(tree), encoding="utf-8")
    assert digests(copy) == here


@pytest.mark.parametrize(
    ("file", "function", "users"),
    [
        (
            "statistics.py",
            "median_interval",
            {
                *("kl_gap", "term_tables"),
                *(f"data_quality_{name}" for name in ("figures", "sets", "trained_figures")),
            },
        ),
        (
            "statistics.py",
            "holm",
            {
                *("trends", "term_tables", "ratings", "estimation_tables", "predictions"),
                *("judged_claims", "language_tables", "slow_thinking_published", "pilot"),
            },
        ),
        ("mixtures/em.py", "fit", {"fitted_mixture"}),
        ("mixtures/histogram.py", "histogram_divergences", {"divergences"}),
        ("mixtures/study.py", "gap_trend", {"trends"}),
        ("mixtures/labelled_points.py", "read_table", {"labelled_points"}),
        ("mixtures/worlds.py", "data_worlds", {"worlds"}),
        ("plotting/mixtures.py", "kl_gap_figure", {"figure4"}),
        ("workflow/lock.py", "hold", set()),
        ("cli.py", "main", set()),
    ],
)
def test_an_edited_library_function_changes_its_users(copy, here, file, function, users):
    path = copy / "src/ggmi" / file
    tree = ast.parse(path.read_text(encoding="utf-8"))
    (found,) = (n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == function)
    found.body.insert(1, ast.parse("None").body[0])
    path.write_text(ast.unparse(ast.fix_missing_locations(tree)), encoding="utf-8")
    after = digests(copy)
    assert {script for script in here if here[script] != after[script]} == users


def test_the_frame_of_every_job_decides_no_result(copy, here):
    path = copy / "src/ggmi/workflow/job.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("ORPHANED = 75", "ORPHANED = 76"), encoding="utf-8")
    after = digests(copy)
    assert {script for script in here if here[script] != after[script]} == {"step"}


@pytest.mark.parametrize(("old", "new", "users"), [("math.sqrt", "math.cbrt", None), ("SCALE * x", "SCALE + x", RING)])
def test_a_function_that_is_found_by_its_name_counts_where_it_is_given(small, tmp_path, old, new, users):
    function = "ggmi.numbers.far"
    small(PACKAGE)
    before = digests(tmp_path / "built", function)
    small({**PACKAGE, "numbers.py": PACKAGE["numbers.py"].replace(old, new)})
    after = digests(tmp_path / "built", function)
    assert {script for script in before if before[script] != after[script]} == (users or set(before))


def test_a_module_imported_for_what_that_does_counts_as_a_whole(changed):
    files = {
        "__init__.py": "",
        "registry.py": "KNOWN = {}\n\ndef enter(f):\n    KNOWN[f.__name__] = f\n    return f\n",
        "entries.py": "from ggmi.registry import enter\n\n@enter\ndef one():\n    return 1\n",
        "study.py": "import ggmi.entries\nfrom ggmi.registry import KNOWN\n\ndef names():\n    return list(KNOWN)\n",
        "use_names.py": "from ggmi.study import names\nprint(names())\n",
        "use_registry.py": "from ggmi.registry import KNOWN\nprint(KNOWN)\n",
    }
    assert changed(files, "entries.py", "return 1", "return 2") == {"use_names"}
