"""The policy file: what it gives to whom, and that nothing in it is guessed at."""

from __future__ import annotations

import pytest

from auth.policy import Policy, PolicyRefused, Rate, parse_policy

CORP = '[[issuers]]\nname = "corp"\nissuer = "https://id.example.com"\njwks_url = "https://id.example.com/jwks"\n'
CLUSTER = (
    '[[issuers]]\nname = "cluster"\nkind = "kubernetes"\n'
    'issuer = "https://kubernetes.default.svc.cluster.local"\n'
)


def read(text: str) -> Policy:
    return parse_policy(text.encode(), audience="slipway", own_issuer="slipway")


def grant(rest: str, scopes: str = '["predict"]') -> str:
    return f"[[grants]]\nscopes = {scopes}\n{rest}\n"


def test_an_empty_file_believes_nobody_and_limits_nobody() -> None:
    policy = read("")
    assert policy == Policy()
    assert policy.scopes_for("corp", "ada", {}) == frozenset()
    assert policy.limit_for("corp:ada", "iris") is None


def test_an_issuer_takes_access_tokens_for_us_unless_it_says_more() -> None:
    issuer = read(CORP).issuers[0]
    assert (issuer.audience, issuer.types, issuer.algorithms) == ("slipway", ("at+jwt",), ("RS256", "ES256"))
    assert (issuer.ca_file, issuer.bearer_file, issuer.max_ttl_seconds) == (None, None, 3600.0)


def test_a_cluster_is_found_where_every_cluster_is() -> None:
    issuer = read(CLUSTER).issuers[0]
    assert issuer.jwks_url == "https://kubernetes.default.svc/openid/v1/jwks"
    assert str(issuer.ca_file) == "/var/run/secrets/slipway-cluster/ca.crt"
    assert str(issuer.bearer_file) == "/var/run/secrets/slipway-cluster/token"
    assert issuer.types == ("", "jwt")


@pytest.mark.parametrize("where", ['jwks_url = "https://eks.example.com/keys"', "discovery = true"])
def test_the_clusters_token_is_not_sent_to_any_other_address(where: str) -> None:
    issuer = read(CLUSTER + where).issuers[0]
    assert (issuer.ca_file, issuer.bearer_file) == (None, None)


def test_types_are_compared_without_case_and_prefix() -> None:
    issuer = read(CORP + 'types = ["application/AT+JWT", "at+jwt", "JWT", "none"]').issuers[0]
    assert issuer.types == ("at+jwt", "jwt", "")


def test_several_grants_add_up() -> None:
    policy = read(
        CORP
        + grant('issuer = "corp"\nsubject = "ada"', '["predict:iris"]')
        + grant('issuer = "corp"\nsubject = "*"')
    )
    assert policy.scopes_for("corp", "ada", {}) == {"predict", "predict:iris"}
    assert policy.scopes_for("corp", "bob", {}) == {"predict"}


def test_a_grant_is_for_one_issuer() -> None:
    policy = read(CORP + CLUSTER + grant('issuer = "corp"\nsubject = "*"'))
    assert policy.scopes_for("cluster", "system:serviceaccount:shop:web", {}) == frozenset()


def test_a_star_stands_for_the_rest_of_a_subject() -> None:
    policy = read(CLUSTER + grant('issuer = "cluster"\nsubject = "system:serviceaccount:shop:*"'))
    assert policy.scopes_for("cluster", "system:serviceaccount:shop:web", {}) == {"predict"}
    assert policy.scopes_for("cluster", "system:serviceaccount:shop-evil:web", {}) == frozenset()


def test_claims_equal_or_contain_what_a_grant_names() -> None:
    policy = read(CORP + grant('issuer = "corp"\nclaims = { groups = "ml", azp = "shop" }'))
    assert policy.scopes_for("corp", "ada", {"groups": ["a", "ml"], "azp": "shop"}) == {"predict"}
    assert policy.scopes_for("corp", "ada", {"groups": "ml", "azp": "shop"}) == {"predict"}
    for claims in (
        {"groups": ["ml"]},
        {"groups": ["mls"], "azp": "shop"},
        {"groups": {"ml": 1}, "azp": "shop"},
    ):
        assert policy.scopes_for("corp", "ada", claims) == frozenset()


def test_a_table_asks_of_the_members_of_a_claim() -> None:
    policy = read(CORP + grant('issuer = "corp"\nclaims = { realm_access = { roles = "ml" } }'))
    assert policy.scopes_for("corp", "ada", {"realm_access": {"roles": ["ml"]}}) == {"predict"}
    assert policy.scopes_for("corp", "ada", {"realm_access": ["ml"]}) == frozenset()


def test_true_is_no_one() -> None:
    policy = read(CORP + grant('issuer = "corp"\nclaims = { verified = true }'))
    assert policy.scopes_for("corp", "ada", {"verified": True}) == {"predict"}
    assert policy.scopes_for("corp", "ada", {"verified": 1}) == frozenset()
    assert policy.scopes_for("corp", "ada", {"verified": "true"}) == frozenset()


@pytest.mark.parametrize("claim", ["predict admin read", ["predict", "admin", "read"]], ids=["text", "list"])
def test_a_token_says_of_itself_only_what_its_issuer_may_say(claim: object) -> None:
    said = {"scope": claim}
    assert read(CORP).scopes_for("corp", "ada", said) == frozenset()
    policy = read(CORP + 'scopes_from = "scope"\nallowed_scopes = ["predict", "read"]\n')
    assert policy.scopes_for("corp", "ada", said) == {"predict", "read"}


def test_the_nearest_limit_holds() -> None:
    rules = (
        "[[limits]]\nper_second = 1\n",
        '[[limits]]\nper_second = 2\nmodel = "iris"\n',
        '[[limits]]\nper_second = 3\nsubject = "corp:*"\n',
        '[[limits]]\nper_second = 4\nsubject = "corp:a*"\nmodel = "iris"\nburst = 7\n',
        '[[limits]]\nper_second = 5\nsubject = "corp:ada"\n',
    )
    for text in ("".join(rules), "".join(reversed(rules))):
        policy = read(text)
        assert policy.limit_for("bob", "housing") == Rate(per_second=1.0, burst=2.0)
        assert policy.limit_for("bob", "iris") == Rate(per_second=2.0, burst=4.0)
        assert policy.limit_for("corp:eve", "iris") == Rate(per_second=3.0, burst=6.0)
        assert policy.limit_for("corp:amy", "iris") == Rate(per_second=4.0, burst=7.0)
        assert policy.limit_for("corp:ada", "iris") == Rate(per_second=5.0, burst=10.0)


WRONG = {
    "no TOML": ("issuers = nobody\n", "line 1"),
    "a number without end": ("[[limits]]\nper_second = " + "9" * 5000, "integer string conversion"),
    "a number beyond all floats": ("[[limits]]\nper_second = " + "9" * 400, "per_second"),
    "a day that is none": ("issuers = 2026-13-41\n", "ate"),
    "a table without end": ("x = " + "[" * 50_000, "recursion"),
    "an unknown table": ("[[issuer]]\n", "`issuer`"),
    "an unknown member": (CORP + 'audiences = "x"', "`audiences` - at `$.issuers[0]`"),
    "a name that is ours": (CORP.replace('"corp"', '"own"'), "issuers[0] (own): the name own is ours"),
    "a name with a colon": (CORP.replace('"corp"', '"a:b"'), "$.issuers[0].name"),
    "a name twice": (CORP + CORP, "name 'corp' is there twice"),
    "an issuer twice": (
        CORP + CORP.replace('"corp"', '"two"'),
        "issuer 'https://id.example.com' is there twice",
    ),
    "http": (
        CORP.replace("https://id.example.com/jwks", "http://id.example.com/jwks"),
        "issuers[0] (corp).jwks_url",
    ),
    "an issuer over http": (
        CORP.replace('"https://id.example.com"', '"http://id.example.com"'),
        "must be https://",
    ),
    "another scheme": (CORP.replace("https://id.example.com/jwks", "file:///etc/passwd"), "is no address"),
    "a password in an address": (
        CORP.replace("https://id.example.com/jwks", "https://a:b@id/jwks"),
        "no password",
    ),
    "loopback by name only": (
        CORP.replace("https://id.example.com/jwks", "http://127.0.0.1.evil.example/"),
        "https://",
    ),
    "no keys": ('[[issuers]]\nname = "x"\nissuer = "https://x"\n', "jwks_url or discovery = true"),
    "keys from two places": (CORP + "discovery = true", "either jwks_url or discovery"),
    "a shared secret": (
        CORP + 'algorithms = ["RS256", "HS256"]',
        "(corp).algorithms: HS256 is a shared secret",
    ),
    "no signature": (CORP + 'algorithms = ["nOnE"]', "nOnE is no signature"),
    "an algorithm nobody knows": (CORP + 'algorithms = ["RS1"]', "'RS1' is not one of"),
    "no algorithm": (CORP + "algorithms = []", "$.issuers[0].algorithms"),
    "an endless life": (CORP + "max_ttl_seconds = inf", "$.issuers[0].max_ttl_seconds"),
    "a life that is no number": (CORP + "max_ttl_seconds = nan", "$.issuers[0].max_ttl_seconds"),
    "a relative file": (CORP + 'ca_file = "ca.crt"', "'ca.crt' is no absolute path"),
    "scopes from a claim without a bound": (CORP + 'scopes_from = "scope"', "go together"),
    "a grant of an unknown issuer": (
        grant('issuer = "corp"\nsubject = "*"'),
        "grants[0]: there is no issuer 'corp'",
    ),
    "a grant to nobody": (CORP + grant('issuer = "corp"'), "grants[0]: subject or claims must say to whom"),
    "an unknown scope": (
        CORP + grant('issuer = "corp"\nsubject = "a"', '["predicts"]'),
        "'predicts' is none of",
    ),
    "a grant of nothing": (CORP + grant('issuer = "corp"\nsubject = "a"', "[]"), "$.grants[0].scopes"),
    "a star in the middle": (CORP + grant('issuer = "corp"\nsubject = "a*b"'), "grants[0]: 'a*b'"),
    "half a namespace": (
        CLUSTER + grant('issuer = "cluster"\nsubject = "system:serviceaccount:shop*"'),
        "also fits other namespaces",
    ),
    "a claim of a float": (CORP + grant('issuer = "corp"\nclaims = { age = 1.5 }'), "grants[0].claims.age"),
    "an empty claim table": (
        CORP + grant('issuer = "corp"\nclaims = { realm = {} }'),
        "grants[0].claims.realm",
    ),
    "a limit of nothing": ("[[limits]]\nper_second = 0\n", "$.limits[0].per_second"),
    "a limit that is no number": ("[[limits]]\nper_second = nan\n", "$.limits[0].per_second"),
    "a limit twice": ("[[limits]]\nper_second = 1\n" * 2, "limits: subject and model"),
}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_what_means_nothing_is_refused_with_its_place(name: str) -> None:
    text, told = WRONG[name]
    with pytest.raises(PolicyRefused) as refused:
        read(text)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("own", ["https://id.example.com", "corp"])
def test_nobody_else_can_be_ourselves(own: str) -> None:
    with pytest.raises(PolicyRefused, match="JWT_ISSUER"):
        parse_policy(CORP.encode(), audience="slipway", own_issuer=own)


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:9000"])
def test_this_machine_may_be_asked_without_tls(host: str) -> None:
    issuer = read(f'[[issuers]]\nname = "mock"\nissuer = "http://{host}"\ndiscovery = true\n').issuers[0]
    assert (issuer.issuer, issuer.jwks_url) == (f"http://{host}", "")
