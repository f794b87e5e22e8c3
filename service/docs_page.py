"""The interactive documentation, from an installed package: it needs no network, and no exception from the rules."""

from __future__ import annotations

import json
from pathlib import Path

import fastapi_offline
from fastapi import FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles
from starlette.responses import HTMLResponse

__all__ = ["add_docs"]

_STATIC = Path(fastapi_offline.__file__).with_name("static")
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>CLNet geo-localization: the HTTP interface</title>
<link rel="icon" href="{root}/web/icon.svg">
<link rel="stylesheet" href="{root}/docs/static/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="{root}/docs/static/swagger-ui-bundle.js"></script>
<script src="{root}/docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({{
  url: {schema},
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
}});
"""


def add_docs(app: FastAPI) -> None:
    """Serve `/docs`."""
    app.mount("/docs/static", StaticFiles(directory=_STATIC), name="docs-static")
    app.add_api_route("/docs", _page, include_in_schema=False)
    app.add_api_route("/docs/start.js", _start, include_in_schema=False)


async def _page(request: Request) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(root=request.scope.get("root_path", "")))


async def _start(request: Request) -> Response:
    schema = json.dumps(f"{request.scope.get('root_path', '')}/openapi.json")
    return Response(_START.format(schema=schema), media_type="text/javascript")
