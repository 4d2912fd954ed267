"""The way to an endpoint: proxies and certificates as the environment names them, and none to this machine."""

from __future__ import annotations

import os
import ssl
from typing import TypeVar
from urllib.parse import urlsplit

import httpx

from ggmi.errors import UserError

Client = TypeVar("Client", httpx.Client, httpx.AsyncClient)
# What people set for other tools, and httpx does not look at.
OTHER_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", *OTHER_CERTIFICATES)


def on_this_machine(base_url: str) -> bool:
    """Whether an endpoint is on this machine, to which a proxy of the cluster is not the way.

    Parameters
    ----------
    base_url
        Its address.

    Examples
    --------
    >>> on_this_machine("http://127.0.0.1:8000/v1"), on_this_machine("https://api.openai.com/v1")
    (True, False)
    """
    return urlsplit(base_url).hostname in ("127.0.0.1", "localhost", "::1")


def http_client(kind: type[Client], base_url: str, key: str, timeout: httpx.Timeout) -> Client:
    """Make a client of an endpoint that goes by the environment's proxies and certificates.

    Parameters
    ----------
    kind
        The class.
    base_url
        The endpoint's address.
    key
        The endpoint's key; empty for none.
    timeout
        The client's.

    Raises
    ------
    UserError
        If a proxy or a file of certificates that the environment names cannot be used.
    """
    try:
        return kind(
            base_url=base_url.rstrip("/"),
            headers={"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {}),
            trust_env=not on_this_machine(base_url),
            timeout=timeout,
            verify=_certificates(),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
            follow_redirects=True,
        )
    except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
        named = [f"{name}={_without_password(os.environ[name])}" for name in _set_variables()]
        hint = "; socks5 proxies need the package socksio (pip install 'httpx[socks]')" * isinstance(error, ImportError)
        raise UserError(
            f"{base_url}: the environment's proxy or certificates cannot be used ({str(error).splitlines()[0]}); "
            f"set are {', '.join(named) or 'none'}{hint}; NO_PROXY takes an address out"
        ) from None


def _certificates() -> ssl.SSLContext | bool:
    """Certificates to trust: those that other tools' variables name, unless SSL_CERT_FILE does; else the usual ones."""
    if os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR"):
        return True
    named = next((os.environ[name] for name in OTHER_CERTIFICATES if os.environ.get(name)), None)
    return True if named is None else ssl.create_default_context(cafile=named)


def _set_variables() -> list[str]:
    return [name for upper in VARIABLES for name in (upper, upper.lower()) if os.environ.get(name)]


def _without_password(value: str) -> str:
    """An address without what may be secret in it."""
    head, at, tail = value.rpartition("@")
    return f"{head.partition('://')[0]}://...@{tail}" if at else value
