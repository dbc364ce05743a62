"""Files on S3, for the settings: the storage, where the bucket is reached, which origins pages then load from."""

from __future__ import annotations

from urllib.parse import urlsplit

# What is fetched beyond this many bytes goes to a temporary file; the storage's own default is all of it in memory.
MEMORY = 1024 * 1024


def endpoint(region: str, own: str) -> str:
    """The server's address: a compatible server's own, or Amazon's of the region.

    Always the region's: the global address that signed links get by default answers with redirects for new buckets.
    """
    return own or f"https://s3.{region}.amazonaws.com"


def style(bucket: str, own: str) -> str:
    """`virtual` puts the bucket into the host name. Not every compatible server has such names, and dots break TLS."""
    return "path" if own or "." in bucket else "virtual"


def origin(bucket: str, region: str, own: str) -> str:
    """Scheme and host that browsers meet when they load from or post to the bucket."""
    parts = urlsplit(endpoint(region, own))
    host = parts.netloc if style(bucket, own) == "path" else f"{bucket}.{parts.netloc}"
    return f"{parts.scheme}://{host}"


def storage(
    name: str,
    *,
    region: str,
    own: str = "",
    keys: tuple[str, str] = ("", ""),
    link_seconds: int = 3600,
    cloudfront: tuple[str, str, str] | None = None,
) -> dict[str, object]:
    """The entry for STORAGES. `keys` are id and secret, empty for the machine's own role; `cloudfront` is domain,
    key id and private key. `own` is a compatible server's address.
    """
    domain, key_id, key = cloudfront or (None, None, None)
    return {
        "BACKEND": "orders.s3.FilesOnS3",
        "OPTIONS": {
            "bucket_name": name,
            "region_name": region,
            "endpoint_url": endpoint(region, own),
            "addressing_style": style(name, own),
            "access_key": keys[0] or None,
            "secret_key": keys[1] or None,
            "signature_version": "s3v4",
            "default_acl": None,
            "file_overwrite": False,
            "querystring_auth": True,
            "querystring_expire": link_seconds,
            "custom_domain": domain,
            "cloudfront_key_id": key_id,
            "cloudfront_key": key,
            "max_memory_size": MEMORY,
        },
    }
