"""Signing in at an OpenID Connect provider: authorization code with PKCE, state and nonce.

A sign-in that was begun is kept in memory, ends after ten minutes, and is used once. Who comes back
is who the provider says by a signed token for this client; whether that is somebody of the
agreement is :mod:`services.insights.board.access`'s.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.deprecate import AuthlibDeprecationWarning
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.insights.board.access import NotLetIn
from services.insights.settings import BoardSettings

if TYPE_CHECKING:
    from authlib.integrations.httpx_client import OAuth2Client

LOGIN_COOKIE: Final = "__Host-baton_login"
BACK_PATH: Final = "/oidc/back"
_ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")
"""Never a secret that both share, and never none."""
_VALID_S: Final = 600.0
_MOST_BEGUN: Final = 1_000
_KNOWN_S: Final = 3_600.0
_LEEWAY_S: Final = 60
_TIMEOUT_S: Final = 10.0
_MOST_BYTES: Final = 262_144
_BYTES: Final = 32


class ProviderAway(RuntimeError):
    """The provider does not answer as it should; the text names the step and nothing secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    state: str
    nonce: str
    verifier: str
    until_s: float
    wanted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Provider:
    authorize: str
    token: str
    keys: KeySet
    until_s: float


class SignIn:
    """The sign-in of one client at one issuer. Thread-safe."""

    def __init__(self, settings: BoardSettings, clock: Callable[[], float] = time.time) -> None:
        assert settings.oidc_issuer is not None
        self._settings, self._clock = settings, clock
        self._issuer = settings.oidc_issuer.rstrip("/")
        self._lock = threading.Lock()
        self._begun: dict[str, _Begun] = {}
        self._provider: _Provider | None = None

    @property
    def _back(self) -> str:
        return f"https://{self._settings.public_host}{BACK_PATH}"

    def begin(self, wanted: str) -> tuple[str, str]:
        """Where to send the browser, and the cookie by which it is known again. ``wanted``: the
        page of this site that it is to come back to. Raises ProviderAway, and NotLetIn where too
        many have begun."""
        provider, now = self._known_provider(), self._clock()
        begun = _Begun(
            state=secrets.token_urlsafe(_BYTES),
            nonce=secrets.token_urlsafe(_BYTES),
            verifier=secrets.token_urlsafe(48),
            until_s=now + _VALID_S,
            wanted=wanted,
        )
        name = secrets.token_urlsafe(_BYTES)
        with self._lock:
            self._begun = {key: item for key, item in self._begun.items() if item.until_s > now}
            if len(self._begun) >= _MOST_BEGUN:
                raise NotLetIn("Too many sign-ins have begun. Try again in a few minutes.")
            self._begun[name] = begun
        with self._client() as client:
            address, _ = client.create_authorization_url(
                provider.authorize,
                state=begun.state,
                code_verifier=begun.verifier,
                nonce=begun.nonce,
            )
        return address, name

    def end(self, cookie: str | None, *, code: str, state: str) -> tuple[str, str]:
        """The name that the provider gives who comes back, and the page that was wanted; raises
        NotLetIn, ProviderAway."""
        with self._lock:
            begun = self._begun.pop(cookie or "", None)
        if begun is None or begun.until_s <= self._clock():
            raise NotLetIn("This sign-in is too old, or was begun in another browser. Begin again.")
        if not hmac.compare_digest(begun.state, state) or not code:
            raise NotLetIn("This sign-in was not the one that was begun here. Begin again.")
        claims = self._claims(self._token(code, begun.verifier), begun.nonce)
        name = claims.get(self._settings.oidc_claim)
        if self._settings.oidc_claim == "email" and claims.get("email_verified") is not True:
            raise NotLetIn("The provider has not verified your address.")
        if not isinstance(name, str) or not name:
            raise NotLetIn(f"The provider gives no {self._settings.oidc_claim} of you.")
        return name, begun.wanted

    def _client(self) -> OAuth2Client:
        with warnings.catch_warnings():
            # Authlib warns of its own move to a successor of httpx, which is no news for who
            # operates a board. It is imported where somebody signs in.
            warnings.simplefilter("ignore", AuthlibDeprecationWarning)
            from authlib.integrations.httpx_client import OAuth2Client

        secret = self._settings.oidc_client_secret
        return OAuth2Client(
            self._settings.oidc_client_id,
            secret.get_secret_value() if secret else None,
            scope="openid email",
            redirect_uri=self._back,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            timeout=_TIMEOUT_S,
            trust_env=False,
            follow_redirects=False,
        )

    def _token(self, code: str, verifier: str) -> str:
        provider = self._known_provider()
        try:
            with self._client() as client:
                found = client.fetch_token(provider.token, code=code, code_verifier=verifier)
        except httpx.HTTPError:
            raise ProviderAway("the provider's token endpoint does not answer") from None
        except (AuthlibBaseError, ValueError):
            raise NotLetIn("The provider did not accept this sign-in. Begin again.") from None
        token = found.get("id_token")
        if not isinstance(token, str):
            raise NotLetIn("The provider sent no id token.")
        return token

    def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        """The claims of a token that is signed by the issuer, for this client and this sign-in, and
        not expired; raises NotLetIn."""
        wanted = jwt.JWTClaimsRegistry(
            now=lambda: int(self._clock()),
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._settings.oidc_client_id},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        for fresh in (False, True):  # once more with new keys: the provider may have changed them
            try:
                keys = self._known_provider(fresh=fresh).keys
                found = jwt.decode(token, keys, algorithms=list(_ALGORITHMS))
                wanted.validate(found.claims)
            except (JoseError, ValueError):
                continue
            audience = found.claims["aud"]
            if isinstance(audience, list) and len(audience) > 1:
                break  # for others too: not only meant for this client
            return dict(found.claims)
        raise NotLetIn("The provider's token is not one for this sign-in. Begin again.")

    def _known_provider(self, *, fresh: bool = False) -> _Provider:
        known = self._provider
        if known is not None and not fresh and known.until_s > self._clock():
            return known
        about = _json(f"{self._issuer}/.well-known/openid-configuration")
        if about.get("issuer", "").rstrip("/") != self._issuer:
            raise ProviderAway("the provider calls itself by another name than the issuer")
        try:
            found = _Provider(
                authorize=about["authorization_endpoint"],
                token=about["token_endpoint"],
                keys=KeySet.import_key_set(_json(about["jwks_uri"])),  # type: ignore[arg-type]
                until_s=self._clock() + _KNOWN_S,
            )
        except (KeyError, TypeError, JoseError, ValueError):
            raise ProviderAway("the provider's description is not whole") from None
        self._provider = found
        return found


def _json(url: str) -> dict[str, Any]:
    try:
        with (
            httpx.Client(timeout=_TIMEOUT_S, trust_env=False) as client,
            client.stream("GET", url) as answer,
        ):
            answer.raise_for_status()
            body = b""
            for part in answer.iter_bytes():
                body += part
                if len(body) > _MOST_BYTES:
                    raise ProviderAway("the provider's description is too long")
        found = httpx.Response(200, content=body).json()
    except (httpx.HTTPError, ValueError):
        raise ProviderAway("the provider's description cannot be read") from None
    if not isinstance(found, dict):
        raise ProviderAway("the provider's description cannot be read")
    return found
