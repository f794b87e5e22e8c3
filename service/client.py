"""A typed client of the service, blocking and asynchronous.

Answers are the models that the service itself answers with. A refusal is a `ServiceProblem`.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypedDict, TypeVar, Unpack

import httpx
from pydantic import BaseModel

from model.common.errors import GeoLocalizationError
from model.common.plain_files import read_plain
from service.schemas import Info, LocalizeAnswer
from service.schemas_explain import ExplainAnswer
from service.schemas_many import BatchLine, TrackAnswer
from service.together import TogetherAnswer

__all__ = [
    "AreaFields",
    "AsyncClient",
    "Client",
    "ExplainFields",
    "LocalizeFields",
    "ServiceProblem",
    "TogetherFields",
    "TrackFields",
]

_M = TypeVar("_M", bound=BaseModel)
_Photo = bytes | Path | str
_Upload = tuple[str, bytes]
_PATIENCE_S = 120.0
_READY_S = 2.0


class AreaFields(TypedDict, total=False):
    """Where to search; None is as left out."""

    bbox: str | None
    near: str | None
    radius_m: float | None
    since: datetime.date | str | None


class ExplainFields(TypedDict, total=False):
    """What is known of a photo, or of each of several; None is as left out."""

    heading_deg: float | Literal["unknown"] | None
    fov_deg: float | None


class LocalizeFields(ExplainFields, AreaFields, total=False):
    """The fields of `localize` and `localize/batch`."""

    top_k: int | None


class TrackFields(ExplainFields, AreaFields, total=False):
    """The fields of `localize/track`."""

    times_s: str | None
    max_speed_m_s: float | None
    max_step_m: float | None


class TogetherFields(AreaFields, total=False):
    """The fields of `localize/together`; what is known of the photos stands once for each."""

    heading_deg: Sequence[float | Literal["unknown", "photo"]]
    fov_deg: Sequence[float]
    top_k: int | None


class ServiceProblem(GeoLocalizationError, RuntimeError):
    """The service refused: its status and what it said (RFC 9457).

    Attributes:
        status: of HTTP.
        problem: the members of the answer; empty where it was no problem.
        retry_after_s: when to try again, where the service says so.
    """

    def __init__(self, status: int, problem: dict[str, Any], retry_after_s: int | None) -> None:
        super().__init__(f"{status} {problem.get('title', '')}: {problem.get('detail', '')}".rstrip(": "))
        self.status, self.problem, self.retry_after_s = status, problem, retry_after_s


class Client:
    """Asks one service, and waits for its answers.

    Example:
        >>> with Client("http://127.0.0.1:8000") as client:  # doctest: +SKIP
        ...     client.localize("photo.jpg").estimate.lat
        47.1
    """

    def __init__(self, url: str, *, key: str | None = None, http: httpx.Client | None = None) -> None:
        """Connect.

        Args:
            url: of the service, with the path that a proxy serves it under.
            key: an API key, where it asks for one.
            http: what to ask with; a client of its own when left out.
        """
        self._http = http or httpx.Client(base_url=url, timeout=_PATIENCE_S)
        self._headers = _headers(key)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def localize(self, photo: _Photo, **fields: Unpack[LocalizeFields]) -> LocalizeAnswer:
        """Where a photo was taken; the fields are those of the form.

        Raises:
            ServiceProblem: the service refused.
        """
        return _read(LocalizeAnswer, self._post("localize", [photo], fields))

    def explain(self, photo: _Photo, tile_id: str, **fields: Unpack[ExplainFields]) -> ExplainAnswer:
        """Why a tile matches a photo.

        Raises:
            ServiceProblem: the service refused.
        """
        return _read(ExplainAnswer, self._post("explain", [photo], {"tile_id": tile_id, **fields}))

    def track(self, photos: Sequence[_Photo], **fields: Unpack[TrackFields]) -> TrackAnswer:
        """The way through photos that were taken one after the other.

        Raises:
            ServiceProblem: the service refused.
        """
        return _read(TrackAnswer, self._post("localize/track", photos, fields))

    def together(self, photos: Sequence[_Photo], **fields: Unpack[TogetherFields]) -> TogetherAnswer:
        """Where several photos of one place were taken.

        Raises:
            ServiceProblem: the service refused.
        """
        return _read(TogetherAnswer, self._post("localize/together", photos, fields))

    def batch(self, photos: Sequence[_Photo], **fields: Unpack[LocalizeFields]) -> Iterator[BatchLine]:
        """An answer for each photo, as they come.

        Raises:
            ServiceProblem: the service refused.
        """
        form = _form(photos, fields)
        with self._http.stream("POST", "v1/localize/batch", headers=self._headers, **form) as answer:
            if answer.is_error:
                answer.read()
            _check(answer)
            yield from (BatchLine.model_validate_json(line) for line in answer.iter_lines() if line)

    def info(self) -> Info:
        """What the service runs.

        Raises:
            ServiceProblem: the service refused.
        """
        return _read(Info, self._http.get("v1/info", headers=self._headers))

    def is_ready(self) -> bool:
        """Whether the service answers, and can localize now."""
        try:
            return self._http.get("v1/readyz", timeout=_READY_S).is_success
        except httpx.TransportError:
            return False

    def _post(self, address: str, photos: Sequence[_Photo], fields: Mapping[str, Any]) -> httpx.Response:
        return self._http.post(f"v1/{address}", headers=self._headers, **_form(photos, fields))


class AsyncClient:
    """The same for asynchronous programs.

    Example:
        >>> async with AsyncClient("http://127.0.0.1:8000") as client:  # doctest: +SKIP
        ...     (await client.localize("photo.jpg")).estimate.lat
    """

    def __init__(self, url: str, *, key: str | None = None, http: httpx.AsyncClient | None = None) -> None:
        """As for `Client`."""
        self._http = http or httpx.AsyncClient(base_url=url, timeout=_PATIENCE_S)
        self._headers = _headers(key)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def localize(self, photo: _Photo, **fields: Unpack[LocalizeFields]) -> LocalizeAnswer:
        """As `Client.localize`."""
        return _read(LocalizeAnswer, await self._post("localize", [photo], fields))

    async def explain(self, photo: _Photo, tile_id: str, **fields: Unpack[ExplainFields]) -> ExplainAnswer:
        """As `Client.explain`."""
        return _read(ExplainAnswer, await self._post("explain", [photo], {"tile_id": tile_id, **fields}))

    async def track(self, photos: Sequence[_Photo], **fields: Unpack[TrackFields]) -> TrackAnswer:
        """As `Client.track`."""
        return _read(TrackAnswer, await self._post("localize/track", photos, fields))

    async def together(self, photos: Sequence[_Photo], **fields: Unpack[TogetherFields]) -> TogetherAnswer:
        """As `Client.together`."""
        return _read(TogetherAnswer, await self._post("localize/together", photos, fields))

    async def batch(self, photos: Sequence[_Photo], **fields: Unpack[LocalizeFields]) -> AsyncIterator[BatchLine]:
        """As `Client.batch`."""
        form = _form(photos, fields)
        async with self._http.stream("POST", "v1/localize/batch", headers=self._headers, **form) as answer:
            if answer.is_error:
                await answer.aread()
            _check(answer)
            async for line in answer.aiter_lines():
                if line:
                    yield BatchLine.model_validate_json(line)

    async def info(self) -> Info:
        """As `Client.info`."""
        return _read(Info, await self._http.get("v1/info", headers=self._headers))

    async def is_ready(self) -> bool:
        """As `Client.is_ready`."""
        try:
            return (await self._http.get("v1/readyz", timeout=_READY_S)).is_success
        except httpx.TransportError:
            return False

    async def _post(self, address: str, photos: Sequence[_Photo], fields: Mapping[str, Any]) -> httpx.Response:
        return await self._http.post(f"v1/{address}", headers=self._headers, **_form(photos, fields))


def _headers(key: str | None) -> dict[str, str]:
    return {} if key is None else {"Authorization": f"Bearer {key}"}


def _form(photos: Sequence[_Photo], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Files and fields as httpx takes them; fields of None are left out, those of several values repeated."""
    files = [("panorama", _upload(photo)) for photo in photos]
    return {"files": files, "data": {name: _text(value) for name, value in fields.items() if value is not None}}


def _text(value: object) -> str | list[str]:
    return [str(one) for one in value] if isinstance(value, (list, tuple)) else str(value)


def _upload(photo: _Photo) -> _Upload:
    if isinstance(photo, bytes):
        return "photo", photo
    path = Path(photo)
    return path.name, read_plain(path)


def _read(kind: type[_M], answer: httpx.Response) -> _M:
    _check(answer)
    return kind.model_validate_json(answer.content)


def _check(answer: httpx.Response) -> None:
    """Raise what the service refused with.

    Raises:
        ServiceProblem: it did.
    """
    if not answer.is_error:
        return
    try:
        problem = json.loads(answer.content)
    except ValueError:
        problem = {}
    wait = answer.headers.get("retry-after", "")
    raise ServiceProblem(
        answer.status_code, problem if isinstance(problem, dict) else {}, int(wait) if wait.isdigit() else None
    )
