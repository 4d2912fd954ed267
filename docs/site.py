"""Lay out the documentation as a site: the README as its first page, every key of the configuration, the API."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from ggmi.formulas import set_formula, split
from ggmi.reporting.tables import read_columns

ROOT = Path(__file__).resolve().parents[1]
# Pages beside docs/, and what they are called there.
BESIDE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "benchmarks/README.md": "benchmarks.md",
}
ROOMS = (
    "ggmi.api",
    "ggmi.information",
    "ggmi.mixtures",
    "ggmi.theory",
    "ggmi.data_quality",
    "ggmi.pilot",
    "ggmi.scaling",
    "ggmi.search",
)
API = """# API

`import ggmi` offers `ggmi.estimate` and `ggmi.run_pilot`; the rooms below it are modules of functions on arrays,
records and tables.

"""


def relinked(text, folder):
    """A page's text with links that hold on the site; what is no page there is named without a link."""

    def link(found):
        words, target = found[1], found[2]
        if target.startswith(("http:", "https:", "#")):
            return found[0]
        name, _, anchor = target.partition("#")
        path = (folder / name).resolve().relative_to(ROOT).as_posix()
        page = BESIDE.get(path, path.removeprefix("docs/"))
        known = path in BESIDE or path.startswith("docs/")
        return f"{words}({page}{'#' if anchor else ''}{anchor})" if known else words.strip("[]")

    return with_formulas(re.sub(r"(\[[^\]]*\])\(([^)\s]+)\)", link, text))


def with_formulas(text):
    """The text with its formulas as MathML; what stands in code is left alone."""
    code = re.split(r"(```.*?```|`[^`\n]*`)", text, flags=re.DOTALL)
    for i, part in enumerate(code[::2]):
        # A formula may run over a line's end, where its pieces are one.
        joined = re.sub(r"\$([^$]{1,400})\$", lambda m: "$" + " ".join(m[1].split()) + "$", part)
        code[2 * i] = "".join(formula(piece) if latex else piece for piece, latex in split(joined))
    return "".join(code)


def formula(latex):
    """MathML in a span, without which Markdown takes it for a paragraph where a line begins with it."""
    return f"<span>{set_formula(latex.replace('<', chr(92) + 'lt ').replace('>', chr(92) + 'gt '))}</span>"


def columns_page():
    """What every column of every table means, from the file that pages read."""
    tables = read_columns((ROOT / "workflow" / "report" / "columns.yaml").read_text(encoding="utf-8"))
    bar = "\\|"
    parts = ["# Every column\n\nThe ends of an interval, `x_ci_low` and `x_ci_high`, are the 95 % interval of `x`.\n"]
    for name, columns in tables.items():
        rows = [f"| `{column.key}` | {column.meaning.replace('|', bar)} |" for column in columns.values()]
        parts.append("\n".join([f"## `{name}`\n", "| column | meaning |", "|---|---|", *rows]) + "\n")
    return "\n".join(parts)


def lay_out(folder):
    """Write the site's sources into a new folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in sorted((ROOT / "docs").iterdir()):
        if path.suffix == ".png":
            shutil.copyfile(path, folder / path.name)
        elif path.suffix == ".md":
            (folder / path.name).write_text(relinked(path.read_text(encoding="utf-8"), path.parent), encoding="utf-8")
    for name, page in BESIDE.items():
        path = ROOT / name
        text = relinked(path.read_text(encoding="utf-8"), path.parent)
        (folder / page).write_text(text, encoding="utf-8")
        for picture in re.findall(r"!\[[^\]]*\]\(([\w.]+\.svg|[\w.]+\.png)\)", text):
            shutil.copyfile(path.parent / ("docs" if name == "README.md" else "") / picture, folder / picture)
    keys = (ROOT / "config.yaml").read_text(encoding="utf-8")
    (folder / "keys.md").write_text(f"# Every key\n\n```yaml\n{keys}```\n", encoding="utf-8")
    (folder / "columns.md").write_text(columns_page(), encoding="utf-8")
    modules = []
    for room in ROOMS:
        path = ROOT / "src" / Path(*room.split("."))
        found = sorted(p.stem for p in path.glob("[a-z]*.py")) if path.is_dir() else []
        modules += [f"{room}.{name}" for name in found] or [room]
    body = "\n\n".join(f"## `{module}`\n\n::: {module}\n    options: {{heading_level: 3}}" for module in modules)
    (folder / "api.md").write_text(f"{API}{body}\n", encoding="utf-8")


def main():
    """Build the site into ``site/``; a link that leads nowhere is an error."""
    lay_out(ROOT / "site" / "sources")
    done = subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"], cwd=ROOT, check=False)
    if not done.returncode:
        sys.stdout.write("Open site/html/index.html in a browser.\n")
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
