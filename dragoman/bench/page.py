"""A run as one HTML page that needs nothing else."""

import base64
from collections.abc import Mapping, Sequence
from html import escape

from dragoman.bench.machine import About
from dragoman.bench.report import Grid, Section
from dragoman.bench.session import SessionFigures
from dragoman.bench.step import Step

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 0.5rem 0; }
caption { text-align: left; font-weight: 600; padding: 0.3rem 0; }
th, td { padding: 0.15rem 0.8rem; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
img { max-width: 100%; }
.note { color: #555; font-size: 0.9em; margin-top: 0; }
details { margin: 0.4rem 0; }
"""


def page(about: About, sections: Sequence[Section], steps: Sequence[Step], pictures: Mapping[str, bytes]) -> str:
    """The page: the circumstances, the tables, the pictures, and every clause of every session."""
    shown = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8"><title>dragoman bench</title>',
        f"<style>{STYLE}</style></head><body><h1>dragoman bench</h1>",
        *(f"<p>{escape(line)}</p>" for line in [*about.lines(), f"said: {', '.join(about.audio)}"]),
        f"<p><code>{escape(' '.join(about.arguments))}</code></p>",
    ]
    for section in sections:
        shown += [_table(grid) for grid in section.grids]
    for name, data in pictures.items():
        encoded = base64.b64encode(data).decode()
        shown.append(f'<p><img alt="{escape(name)}" src="data:image/png;base64,{encoded}"></p>')
    shown += [_session(one) for step in steps for one in step.sessions]
    return "\n".join([*shown, "</body></html>\n"])


def _table(grid: Grid) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in grid.columns)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in grid.rows)
    note = f'<p class="note">{escape(grid.note)}</p>' if grid.note else ""
    return f"<table><caption>{escape(grid.title)}</caption><tr>{head}</tr>{rows}</table>{note}"


def _session(one: SessionFigures) -> str:
    rows = [
        [
            clause.text,
            f"{clause.source_start_s:.2f}",
            f"{clause.source_stop_s:.2f}",
            *("–" if value is None else f"{value:.2f}" for value in (clause.text_at_s, clause.heard_at_s)),
            *("–" if value is None else f"{value:.2f}" for value in (clause.heard_delay_s, clause.ear_voice_s)),
        ]
        for clause in one.clauses
    ]
    columns = ("clause", "said from", "to", "text at", "heard at", "lag", "ear-voice span")
    outcome = f": {one.failure}" if one.failure else ""
    table = _table(Grid("Clauses, s", columns, rows))
    return f"<details><summary>Session {escape(one.name + outcome)}</summary>{table}</details>"
