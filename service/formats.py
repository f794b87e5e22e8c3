"""The answer as a table (CSV) and for globe viewers (KML 2.2), and which form a client asked for."""

from __future__ import annotations

import csv
import io
from xml.etree import ElementTree as Xml

from service.geojson import GEO_JSON
from service.schemas import Bbox, LocalizeAnswer

__all__ = ["CSV", "JSON", "KML", "as_csv", "as_kml", "preferred"]

JSON, CSV, KML = "application/json", "text/csv", "application/vnd.google-earth.kml+xml"
_FORMS = (JSON, GEO_JSON, CSV, KML)
_COLUMNS = ("kind", "rank", "tile_id", "lat", "lon", "score", "heading_deg", "radius_m", "confidence")


def preferred(accept: str) -> str:
    """The form that an Accept header prefers; plain JSON where it says nothing of ours, or likes it as well.

    Example:
        >>> preferred("text/html, text/csv;q=0.9")
        'text/csv'
    """
    quality = dict.fromkeys(_FORMS, 0.0)
    for part in accept.lower().split(","):
        media_type, *parameters = (piece.strip() for piece in part.split(";"))
        if media_type in quality:
            quality[media_type] = max(quality[media_type], _quality(parameters))
    best = max(quality.values())
    chosen = [form for form in _FORMS[1:] if quality[form] == best and best > 0]
    return chosen[0] if chosen else JSON


def as_csv(answer: LocalizeAnswer) -> str:
    """One line for the estimate, then one for each match."""
    text = io.StringIO()
    rows = csv.DictWriter(text, _COLUMNS, extrasaction="ignore", lineterminator="\r\n")
    rows.writeheader()
    rows.writerow({"kind": "estimate", **answer.estimate.model_dump()})
    for match in answer.matches:
        rows.writerow({"kind": "match", **match.model_dump()})
    return text.getvalue()


def as_kml(answer: LocalizeAnswer) -> bytes:
    """A placemark for the estimate, then a polygon for each match."""
    kml = Xml.Element("kml", xmlns="http://www.opengis.net/kml/2.2")
    document = Xml.SubElement(kml, "Document")
    estimate = _placemark(document, "estimate", _sure(answer))
    point = Xml.SubElement(estimate, "Point")
    Xml.SubElement(point, "coordinates").text = f"{answer.estimate.lon},{answer.estimate.lat}"
    for match in answer.matches:
        mark = _placemark(document, f"{match.rank}: {match.tile_id}", f"score {match.score:.3f}")
        ring = Xml.SubElement(Xml.SubElement(Xml.SubElement(mark, "Polygon"), "outerBoundaryIs"), "LinearRing")
        Xml.SubElement(ring, "coordinates").text = _ring(match.bounds)
    return bytes(Xml.tostring(kml, encoding="utf-8", xml_declaration=True))


def _placemark(document: Xml.Element, name: str, description: str) -> Xml.Element:
    mark = Xml.SubElement(document, "Placemark")
    Xml.SubElement(mark, "name").text = name
    Xml.SubElement(mark, "description").text = description
    return mark


def _sure(answer: LocalizeAnswer) -> str:
    estimate = answer.estimate
    if estimate.confidence is None or estimate.confidence_radius_m is None:
        return f"confidence unknown; extent {estimate.radius_m:.0f} m"
    return f"{estimate.confidence:.0%} sure within {estimate.confidence_radius_m:.0f} m"


def _ring(bounds: Bbox) -> str:
    west, south, east, north = bounds
    if east < west:
        east += 360.0
    corners = ((west, south), (east, south), (east, north), (west, north), (west, south))
    return " ".join(f"{lon},{lat}" for lon, lat in corners)


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0
