"""Reads the form of `POST /localize`, and says of one that cannot be read what was wrong and what to send.

The framework's parser does the work; it alone would answer a photo without a file name with a limit of text fields.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, Headers
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from service.errors import BadField, StorageFault

__all__ = ["MOST_IN_MEMORY", "FormRoute"]

logger = logging.getLogger(__name__)

MOST_IN_MEMORY = 2 << 20
"""Bytes of the files of one form that are kept in memory: a megabyte of the first ones, and a part just read."""

_KEPT = 1 << 20
_PHOTO = "panorama"
_HOW = "send it as a file, in multipart/form-data (curl -F panorama=@photo.jpg ADDRESS)"
_TOO_MANY = "Too many files."
_NAMELESS = 'The Content-Disposition header field "name" must be provided.'
_PLAINER = {
    "Missing boundary in multipart.": (
        "the Content-Type names no boundary; leave that header to your HTTP client, which knows the boundary it writes"
    ),
    _NAMELESS: (
        "a part of the form has no name, so what it holds cannot be known; send the photo as the part panorama, with "
        'the header Content-Disposition: form-data; name="panorama"; filename="photo.jpg" '
        "(curl -F panorama=@photo.jpg ADDRESS)"
    ),
    "Invalid multipart data.": (
        "the body is not the multipart data that its Content-Type announces; leave that header to your HTTP client, "
        "and send the body as it was made"
    ),
}


class _FormRequest(Request):
    async def _get_form(
        self, *, max_files: float = 1000, max_fields: float = 1000, max_part_size: int = 1 << 20
    ) -> FormData:
        if self._form is None:
            async with aclosing(self.stream()) as stream:
                await _refuse_other_kinds(self.headers, stream)
                limits: Any = {"max_files": max_files, "max_fields": max_fields, "max_part_size": max_part_size}
                body = _from_first_boundary(stream, self.headers)
                try:
                    self._form = await _PhotoParser(self.headers, body, **limits).parse()
                except OSError as error:  # of the spool, which holds what is larger than a megabyte
                    logger.error("an upload cannot be kept in %s: %s", tempfile.gettempdir(), error)
                    raise StorageFault from error
                except MultiPartException as error:
                    raise HTTPException(400, _plainer(error.message, max_files)) from error
                finally:
                    await body.aclose()
            await self._refuse_values_in_address(self._form)
        return self._form

    async def _refuse_values_in_address(self, form: FormData) -> None:
        """What stands behind the ? of the address would be passed over, and the answer be one to another question."""
        name = next(iter(self.query_params), None)
        if name is not None:
            await form.close()
            raise BadField(name[:80], "stands in the address, where nothing is read; send it as a field of the form")


class FormRoute(APIRoute):
    """A route whose form is read by `_FormRequest`."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """The framework's handler, given another kind of request."""
        handle = super().get_route_handler()

        async def read(request: Request) -> Response:
            return await handle(_FormRequest(request.scope, request.receive))

        return read


def _plainer(message: str, max_files: float) -> str:
    """The parser's words, or better ones."""
    if not message.startswith(_TOO_MANY):
        return _PLAINER.get(message, message)
    several = "; several photos of one place go to /localize/together" if max_files == 1 else ""
    return f"the form has more files than the {max_files:g} that are taken here (one left empty counts){several}"


async def _from_first_boundary(stream: AsyncGenerator[bytes, None], headers: Headers) -> AsyncGenerator[bytes, None]:
    """A body without the text that may stand before its first part, and means nothing (RFC 2046, section 5.1.1)."""
    boundary = parse_options_header(headers.get("Content-Type"))[1].get(b"boundary", b"")
    first, found = b"\r\n--" + boundary, not boundary
    held = b"\r\n"  # the first line may be the boundary
    async for chunk in stream:
        if found:
            yield chunk
            continue
        held += chunk
        place = held.find(first)
        found = place >= 0
        if found:
            yield held[place + 2 :]
        else:
            held = held[1 - len(first) :]
    if not found:
        yield held.removeprefix(b"\r\n")  # the parser says what is wrong with it


async def _refuse_other_kinds(headers: Headers, stream: AsyncGenerator[bytes, None]) -> None:
    """A body of another kind is read to its end, so that the client has sent it when it is told."""
    kind, _ = parse_options_header(headers.get("Content-Type"))
    coding = headers.get("Content-Encoding", "identity").strip().lower()
    if kind == b"multipart/form-data" and coding in ("identity", ""):
        return
    size = 0
    async for part in stream:
        size += len(part)
    if kind == b"multipart/form-data":
        raise HTTPException(400, f"the body is compressed (Content-Encoding {coding[:40]!r}); send it as it is")
    if size:
        named = kind.decode("latin-1")[:80] or "of no stated Content-Type"
        raise BadField(_PHOTO, f"is missing: the body is {named}; {_HOW}")
    raise BadField(_PHOTO, f"is missing: the request has no body; {_HOW}")


class _PhotoParser(MultiPartParser):
    """The framework's, which also tells a part that is no file from one too long, and a body that was cut off.

    The framework keeps a megabyte of each file in memory; here all files of a form share it, and the others go to disk.
    """

    _open = False
    _reason = ""
    _file_bytes = 0

    def on_part_begin(self) -> None:
        """Note that a part is not complete."""
        super().on_part_begin()
        self._open = True

    def on_headers_finished(self) -> None:
        """Note a photo that is no file; its content is skipped, and the mistake told at the end."""
        self.spool_max_size = max(1, _KEPT - self._file_bytes)  # 0 would be no limit
        if not parse_options_header(self._current_part.content_disposition)[1].get(b"name", b"").strip():
            raise MultiPartException(_NAMELESS)
        super().on_headers_finished()
        if self._current_part.field_name == _PHOTO and self._current_part.file is None:
            _, options = parse_options_header(self._current_part.content_disposition)
            disposition = self._current_part.content_disposition or b""
            self._reason = "is text; send it as a file, with a file name"
            if b"filename*" in disposition and b"filename" not in options:
                self._reason += " in filename: forms do not allow filename* (RFC 7578, section 4.2)"

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """Name the field that is too long."""
        part = self._current_part
        if part.file is None and part.field_name == _PHOTO:
            return
        if part.file is None and len(part.data) + end - start > self.max_part_size:
            raise BadField(part.field_name[:80], f"is longer than {self.max_part_size:,} bytes; a value is short")
        self._file_bytes += 0 if part.file is None else end - start
        super().on_part_data(data, start, end)

    def on_part_end(self) -> None:
        """Note that the part is complete."""
        super().on_part_end()
        self._open = False

    async def parse(self) -> FormData:
        """The form.

        Raises:
            BadField: the photo is no file, or a value is too long.
            HTTPException: the body was cut off.
        """
        form = await super().parse()
        if not (self._open or self._reason) and self.items:
            return form
        for file in self._files_to_close_on_error:
            file.close()
        if not self._reason:
            raise HTTPException(400, "the body ends before its last boundary; the upload was cut off, so send it again")
        raise BadField(_PHOTO, self._reason)
