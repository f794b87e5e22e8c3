"""Objects in buckets (`s3://BUCKET/KEY`): of S3, or of a store that speaks like it.

Who asks, and where, is said by the variables and files that the tools of AWS read. Requests of our own are signed one
by one by its Python client; GDAL signs its own.
"""

from __future__ import annotations

import os
import threading
from typing import Any
from urllib.parse import urljoin

from indexer.common.errors import BadSource
from indexer.common.optional import load_boto3

__all__ = ["BUCKET", "Signer", "gdal_name", "in_bucket", "joined_address"]

BUCKET = "s3://"
_SIGNED_FOR_S = 900
_FORMER_REGION = "us-east-1"
"""Where a request goes that names no region."""
_YES = {"yes", "true", "on", "1"}


def in_bucket(address: str) -> bool:
    """Whether an address names an object in a bucket."""
    return address.startswith(BUCKET)


def joined_address(base: str, href: str) -> str:
    """A link as seen from an address, which may lie in a bucket.

    Example:
        >>> joined_address("s3://imagery/2026/items.json", "../a.tif")
        's3://imagery/a.tif'
    """
    if in_bucket(base) and "://" not in href:
        return BUCKET + urljoin(f"http://{base.removeprefix(BUCKET)}", href).removeprefix("http://")
    return urljoin(base, href)


def gdal_name(address: str) -> str:
    """GDAL's name of an object, without the leading slash; GDAL is told of the endpoint.

    Raises:
        BadSource: the address names no object.
    """
    bucket, key = _parts(address)
    endpoint = _endpoint()
    if endpoint:  # GDAL has names of its own for it, and reads them whenever it opens something
        scheme, _, host = endpoint.rstrip("/").rpartition("://")
        os.environ.setdefault("AWS_S3_ENDPOINT", host)
        os.environ.setdefault("AWS_HTTPS", "NO" if scheme == "http" else "YES")
        os.environ.setdefault("AWS_VIRTUAL_HOSTING", "FALSE")
    return f"vsis3/{bucket}/{key}"


class Signer:
    """Turns the address of an object into one that a plain HTTP client may ask for some minutes. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._client: Any = None

    def signed(self, address: str, method: str) -> tuple[str, dict[str, str]]:
        """An address of HTTP, and headers that belong to its signature.

        Args:
            address: `s3://BUCKET/KEY`.
            method: GET or HEAD.

        Raises:
            BadSource: it names no object, or nobody says who asks.
            MissingExtra: boto3 is not installed.
        """
        bucket, key = _parts(address)
        asked = {"Bucket": bucket, "Key": key}
        payer = os.environ.get("AWS_REQUEST_PAYER", "")
        if payer:
            asked["RequestPayer"] = payer
        with self._lock:
            self._client = self._client or _client()
        from botocore.exceptions import BotoCoreError

        try:
            url = self._client.generate_presigned_url(f"{method.lower()}_object", asked, _SIGNED_FOR_S, method)
        except BotoCoreError as error:
            raise BadSource(
                f"{address} cannot be asked for: {error}. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
                "AWS_PROFILE; or AWS_NO_SIGN_REQUEST=YES for a bucket that anybody may read"
            ) from error
        return str(url), {"x-amz-request-payer": payer} if payer else {}


def _parts(address: str) -> tuple[str, str]:
    bucket, _, key = address.removeprefix(BUCKET).partition("/")
    if not bucket or not key:
        raise BadSource(f"{address} names no object; give s3://BUCKET/KEY")
    return bucket, key


def _endpoint() -> str:
    """Of a store that is not Amazon's; empty where none is named."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    if endpoint and not endpoint.startswith(("http://", "https://")):
        raise BadSource(f"AWS_ENDPOINT_URL is {endpoint!r}; give such as https://store.example:9000")
    return endpoint


def _client() -> Any:
    """Amazon's own client, which knows keys, profiles, single sign-on and the roles of machines."""
    boto3 = load_boto3()
    from botocore import UNSIGNED
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    public = os.environ.get("AWS_NO_SIGN_REQUEST", "").lower() in _YES
    config = Config(
        signature_version=UNSIGNED if public else "s3v4",
        s3={"addressing_style": "path" if _endpoint() else "virtual"},
    )
    try:
        session = boto3.session.Session()
        region = os.environ.get("AWS_REGION") or session.region_name or _FORMER_REGION
        return session.client("s3", region_name=region, endpoint_url=_endpoint() or None, config=config)
    except (BotoCoreError, ValueError) as error:
        raise BadSource(f"what the environment says of AWS cannot be used: {error}") from error
