"""What docs/identity.md prints works as it is printed: its commands on a service, its policies, its manifests, its tables."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from auth.issuer_block import IssuerBlock
from auth.policy import Policy, parse_policy
from auth.policy_document import GrantBlock, LimitBlock
from auth.scopes import NAMES
from auth.token_evidence import is_access_token
from records.__main__ import main as records_main
from serving.settings import Settings
from tests.architecture.source_tree import ROOT
from tests.front_service import PASSWORD, FrontService
from tests.printed_commands import run_printed

PAGE = (ROOT / "docs" / "identity.md").read_text(encoding="utf-8")
POLICIES = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)


def section(title: str) -> str:
    text = re.split(rf"\n#+ {title}\n", PAGE, maxsplit=1)[1]
    return re.split(r"\n##? ", text)[0]


def commands(title: str) -> str:
    return "\n".join(re.findall(r"```sh\n(.*?)```", section(title), flags=re.DOTALL))


def first_cells(text: str, heading: str) -> list[str]:
    """What the first cells of a table name, whose own heading is that."""
    rows = re.split(rf"^\| {re.escape(heading)} .*\n\|-.*\n", text, flags=re.MULTILINE)[1].split("\n\n")[0]
    cells = [row.split(" | ")[0] for row in rows.splitlines()]
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def read(text: str) -> Policy:
    return parse_policy(text.encode(), audience="slipway", own_issuer="slipway")


@pytest.fixture
def front(tmp_path: Path) -> Iterator[FrontService]:
    database_url = f"sqlite:///{tmp_path}/slipway.db"
    assert records_main(["upgrade", "--database-url", database_url]) == 0
    service = FrontService(tmp_path, database_url=database_url)
    yield service
    service.close()


def test_the_quick_start_works_as_it_is_printed(front: FrontService, tmp_path: Path) -> None:
    quick_start = f"{commands('Quick start')}\necho; echo done"
    done = run_printed(quick_start, front, tmp_path, PASSWORD=PASSWORD)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["done"]), f"{done.stdout}\n{done.stderr}"
    assert '"model":"iris"' in done.stdout
    assert '"code":"token-revoked"' in done.stdout
    assert PASSWORD not in done.stdout + done.stderr


def test_the_keys_are_ones_that_sign(tmp_path: Path) -> None:
    from auth.pem_keys import PemKeys

    made = [line.split("#")[0] for line in commands("Our own").splitlines()]
    pem = "".join(subprocess.check_output(["bash", "-c", each], text=True, timeout=30) for each in made)
    assert [jwk.alg for jwk in PemKeys(pem, setting="X").published()] == ["EdDSA", "ES256", "RS256"]


@pytest.mark.parametrize("text", POLICIES, ids=lambda text: re.findall(r'name = "(\w+)"', text)[0])
def test_a_policy_is_one_that_is_accepted(text: str) -> None:
    policy = read(text)
    assert policy.issuers
    assert {grant.issuer for grant in policy.grants} == {issuer.name for issuer in policy.issuers}


def of(name: str, **changes: object) -> dict[str, object]:
    """Claims as a provider puts them into every token that it makes for the issuer of the page, by its reference."""
    at_entra = {"ver": "2.0", "oid": "1", "tid": "0", "rh": "r", "uti": "u", "roles": ["Slipway.Predict"]}
    shared: dict[str, dict[str, object]] = {
        "corp": {"azp": "shop-backend", "realm_access": {"roles": ["ml-analyst"]}, "sid": "s"},
        "entra": {**at_entra, "preferred_username": "ada@example.com"},
        "google": {"azp": "1", "email": "shop@my-project.iam.gserviceaccount.com", "email_verified": True},
    }
    return {"sub": "ada", **shared[name], **changes}


@pytest.mark.parametrize(
    ("name", "claims", "taken"),
    [
        ("corp", of("corp", typ="Bearer", scope="email profile"), True),
        ("corp", of("corp", typ="Bearer"), True),
        ("corp", of("corp", typ="ID"), False),
        ("corp", of("corp", typ="Refresh", scope="email profile"), False),
        ("entra", of("entra", azp="shop", azpacr="1"), True),
        ("entra", of("entra", azp="shop", azpacr="0", scp="access"), True),
        ("entra", of("entra"), False),
        ("entra", of("entra", azp="shop", azpacr="1", roles=["Other"]), False),
        ("google", of("google"), True),
        ("google", of("google", email_verified=False), False),
    ],
    ids=[
        "Keycloak's access token",
        "without scopes",
        "its ID token",
        "its refresh token",
        "Entra's token of a program",
        "of a person",
        "its ID token with the same role",
        "without the role",
        "Google's",
        "of an address that nobody confirmed",
    ],
)
def test_a_policy_takes_the_access_tokens_of_its_provider_and_no_others(
    name: str, claims: dict[str, object], taken: bool
) -> None:
    issuer = read("\n".join(POLICIES)).issuer(name)
    assert issuer is not None
    assert is_access_token(issuer, "jwt", claims) is taken


def test_the_policies_go_into_one_file() -> None:
    assert len(read("\n".join(POLICIES)).issuers) == len(POLICIES) == 4


@pytest.mark.parametrize(
    ("heading", "block"),
    [("`[[issuers]]`", IssuerBlock), ("`[[grants]]`", GrantBlock), ("`[[limits]]`", LimitBlock)],
    ids=["issuers", "grants", "limits"],
)
def test_every_member_of_the_file_is_in_its_table(heading: str, block: type) -> None:
    assert set(first_cells(PAGE, heading)) == set(block.__struct_fields__)  # type: ignore[attr-defined]


def test_every_scope_is_in_the_table() -> None:
    assert set(first_cells(PAGE, "Scope")) == {*NAMES, "predict:<model>"}


def test_every_metric_of_identity_is_in_the_table() -> None:
    from prometheus_client import CollectorRegistry

    from serving.agent.metrics import AgentMetrics
    from serving.identity_metrics import IdentityMetrics

    IdentityMetrics(registry := CollectorRegistry())
    written = {name.split("{")[0] for name in first_cells(PAGE, "Metric")}
    there = {name for names in registry._collector_to_names.values() for name in names}
    of_the_agent = {name for names in AgentMetrics().registry._collector_to_names.values() for name in names}
    assert written <= there | of_the_agent
    assert {name for name in there if name.endswith("_total") or "age" in name} <= written


def test_every_event_of_the_trail_is_in_the_table() -> None:
    event = re.compile(r'"((?:login|token|session|request|keys|policy)\.[a-z]+)"')
    sources = [path for part in ("auth", "serving") for path in (ROOT / part).rglob("*.py")]
    audited = {name for path in sources for name in event.findall(path.read_text(encoding="utf-8"))}
    assert set(first_cells(PAGE, "Event")) == audited | {"login"}


def test_every_setting_that_is_named_exists() -> None:
    named = set(re.findall(r"`((?:JWT|AUTH|JWKS|RATE_LIMIT|REFRESH|SESSION|TRUSTED)_[A-Z_]+)`", PAGE))
    assert named - {name.upper() for name in Settings.model_fields} == set()


def test_the_caller_in_the_cluster_asks_for_a_token_of_this_service() -> None:
    (printed,) = re.findall(r"```yaml\n(.*?)```", section("Pods of the cluster"), flags=re.DOTALL)
    pod = yaml.safe_load(printed)["spec"]["template"]["spec"]
    (token,) = pod["volumes"][0]["projected"]["sources"]
    (cluster,) = (issuer for text in POLICIES for issuer in read(text).issuers if issuer.kind == "kubernetes")
    assert token["serviceAccountToken"]["audience"] == cluster.audience
    assert token["serviceAccountToken"]["expirationSeconds"] <= cluster.max_ttl_seconds
    (mount,) = pod["containers"][0]["volumeMounts"]
    file = {item["name"]: item["value"] for item in pod["containers"][0]["env"]}["SLIPWAY_TOKEN_FILE"]
    assert file == f"{mount['mountPath']}/{token['serviceAccountToken']['path']}"
    assert not pod["automountServiceAccountToken"]
