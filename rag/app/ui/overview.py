"""What the page draws of the whole collection, as plain data: a map of its passages, and its documents over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.app.ui.timeline import describe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.app.ui.map import PassageMap, Point
    from rag.app.ui.timeline import Timeline
    from rag.app.ui.views import OverviewView, PointView


def overview_view(map_: PassageMap, found: Sequence[Point], time: Timeline) -> OverviewView:
    """Show the map, what a question found on it, and the timeline."""
    shown = f"{len(map_.points):,} of {map_.total:,}" if len(map_.points) < map_.total else f"{map_.total:,}"
    return {
        "points": [_point(point) for point in map_.points],
        "found": [_point(point) for point in found],
        "about": f"The map shows {shown} passages; those near to each other are about similar things.",
        "bars": [{"name": bar.name, "documents": bar.documents, "found": bar.found} for bar in time.bars],
        "time": describe(time),
    }


def _point(point: Point) -> PointView:
    return {
        "document": point.uri,
        "title": point.title,
        "start": point.start,
        "end": point.end,
        "x": round(point.x, 4),
        "y": round(point.y, 4),
    }
