"""Whether what a target signs would arrive as it was signed: a request that means nothing, signed
as the target signs, sent to the public address of this delivery. Used by ``baton doctor``.

A proxy that changes the body or the path, another public address, and another secret are found
before the first click is lost.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import Final

import httpx

_ANSWER_S: Final = 10.0


async def slack_echo(public_url: str, name: str, signing_secret: str) -> tuple[bool, str]:
    """``ssl_check``, which Slack sends itself to see whether an address answers."""
    body, at = b"ssl_check=1", str(int(time.time()))
    signed = f"v0:{at}:".encode() + body
    digest = hmac.new(signing_secret.encode(), signed, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": f"v0={digest}",
    }
    return await _asked(f"{public_url.rstrip('/')}/slack/interactions/{name}", body, headers)


async def hubspot_echo(public_url: str, name: str, app_secret: str) -> tuple[bool, str]:
    """A batch without events."""
    url = f"{public_url.rstrip('/')}/hubspot/changes/{name}"
    body, at = b"[]", str(int(time.time() * 1000))
    signed = f"POST{url}".encode() + body + at.encode()
    digest = base64.b64encode(hmac.digest(app_secret.encode(), signed, "sha256")).decode()
    headers = {
        "Content-Type": "application/json",
        "X-HubSpot-Signature-v3": digest,
        "X-HubSpot-Request-Timestamp": at,
    }
    return await _asked(url, body, headers)


async def _asked(url: str, body: bytes, headers: dict[str, str]) -> tuple[bool, str]:
    try:
        async with httpx.AsyncClient(timeout=_ANSWER_S, trust_env=False) as client:
            answer = await client.post(url, content=body, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        kind = type(error).__name__
        return False, f"public_url gives no answer ({kind}): is delivery running behind it?"
    if answer.status_code in (200, 204):
        return True, "what is signed arrives at public_url as it was signed"
    if answer.status_code == 401:
        return False, (
            "what is signed does not arrive as it was signed: the worker has another secret or "
            "public_url, or a proxy changes the body, the path or the headers"
        )
    return False, f"public_url answers {answer.status_code} to what is signed"
