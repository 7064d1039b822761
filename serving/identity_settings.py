"""The settings of identity: who is believed, for how long, and how often they may ask. Read with the others, by `Settings`."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, field_validator

from auth.client_address import Networks, parse_networks


class IdentitySettings(BaseModel):
    """A part of `serving.settings.Settings`, which is what reads the environment."""

    jwt_secret_key: SecretStr | None = Field(
        None, description="key that signs our own tokens (HS256); at least 32 bytes"
    )
    jwt_secret_key_file: Path | None = Field(
        None,
        description="the same from a mounted file, re-read when it changes; one key a line, the first signs",
    )
    jwt_signing_key_file: Path | None = Field(
        None,
        description="private keys in PEM (RSA, P-256, Ed25519) that sign instead, the first one of them; re-read "
        "when it changes; `/.well-known/jwks.json` shows their public halves",
    )
    jwt_issuer: str = Field("slipway", min_length=1, description="`iss` of our own tokens")
    jwt_audience: str = Field("slipway", min_length=1, description="`aud` that a token must carry")
    jwt_access_ttl_seconds: int = Field(900, ge=1, le=86_400, description="life of an access token")
    jwt_leeway_seconds: float = Field(5.0, ge=0, le=30, description="how far clocks may differ")
    jwt_key_settle_seconds: float = Field(
        120.0, ge=0, le=3600, description="a new key only verifies for so long, until every replica has it"
    )
    jwt_key_grace_seconds: float = Field(
        1800.0, ge=0, le=604_800, description="a key that was taken away still verifies for so long"
    )
    refresh_ttl_seconds: int = Field(
        1_209_600, ge=60, le=31_536_000, description="a refresh token that is not used for so long is void"
    )
    session_ttl_seconds: int = Field(
        2_592_000,
        ge=60,
        le=31_536_000,
        description="a login ends after so long, however often it was refreshed",
    )
    auth_policy_file: Path | None = Field(
        None,
        description="issuers that are believed besides ourselves, what their callers may do, and limits (TOML); "
        "re-read when it changes",
    )
    jwks_refresh_seconds: float = Field(
        300.0, ge=5, le=86_400, description="how often the agent asks other issuers for their keys (jittered)"
    )
    jwks_cooldown_seconds: float = Field(
        30.0, ge=1, le=3600, description="an unknown `kid` makes it ask at once, at most this often"
    )
    trusted_proxies: str = Field(
        "",
        description="comma-separated addresses or networks whose `X-Forwarded-For` is believed; empty: nobody's",
    )
    rate_limit_per_second: float = Field(
        0.0, ge=0, le=1e6, description="rows a second that one caller may ask of one model; 0: no limit"
    )
    rate_limit_burst: int = Field(
        0, ge=0, le=10_000_000, description="rows at once; 0: as many as in two seconds"
    )
    rate_limit_replicas: int = Field(
        1, ge=1, le=10_000, description="replicas that share a limit while there is no Redis to share it over"
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, text: str) -> str:
        parse_networks(text)
        return text

    @property
    def proxies(self) -> Networks:
        return parse_networks(self.trusted_proxies)
