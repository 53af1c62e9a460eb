"""Prints the longest files and functions, so that drift is seen."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LONG_FILE = 400
LONG_FUNCTION = 35


def main() -> None:
    """Print what is longer than the marks at which to think again."""
    for path in sorted([*ROOT.glob("src/**/*.py"), *ROOT.glob("crates/*/src/**/*.rs")]):
        text = path.read_text()
        lines = text.count("\n")
        if lines > LONG_FILE and not text.startswith("// Generated"):
            print(f"{lines:5} lines  {path.relative_to(ROOT)}")
        if path.suffix == ".py":
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno > LONG_FUNCTION:
                    print(
                        f"{(node.end_lineno or 0) - node.lineno:5} lines  {path.relative_to(ROOT)}: {node.name}"
                    )


if __name__ == "__main__":
    main()
