"""Roles of the template: whom they trust, and that they may do what is done with them and little else."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.architecture.source_tree import ROOT
from tests.integration.ec2.account import PROVIDER, Account, listed, statements_of

PIPELINE_ROLES = ("PipelineRole", "VerifyRole", "TrainingRole")


def test_every_job_that_assumes_a_role_shows_what_one_role_trusts(account: Account) -> None:
    trusted = [subject for role in PIPELINE_ROLES for subject in _trusted(account, role)]
    assert sorted(trusted) == sorted(_shown_by_jobs())


@pytest.mark.parametrize(
    ("environment", "role", "needed"),
    [
        ("release", "PipelineRole", {"ecr:PutImage", "s3:PutObject", "codedeploy:CreateDeployment"}),
        ("staging", "VerifyRole", {"eks:DescribeCluster", "ecr:BatchGetImage"}),
        ("production", "VerifyRole", {"eks:DescribeCluster", "ecr:BatchGetImage"}),
        ("training", "TrainingRole", {"s3:ListBucket", "s3:GetObject", "s3:PutObject"}),
    ],
)
def test_a_role_may_do_what_the_jobs_of_its_environment_do(
    account: Account, resources: dict[str, Any], environment: str, role: str, needed: set[str]
) -> None:
    assert f"repo:example/slipway:environment:{environment}" in _trusted(account, role)
    statements = statements_of(resources[role])
    assert needed <= {action for statement in statements for action in listed(statement["Action"])}


def test_the_pipeline_may_push_both_images(resources: dict[str, Any]) -> None:
    (pushing,) = (
        each for each in statements_of(resources["PipelineRole"]) if "ecr:PutImage" in listed(each["Action"])
    )
    assert pushing["Resource"] == ["ImageRepository.Arn", "TrainingImageRepository.Arn"]


def _trusted(account: Account, role: str) -> list[str]:
    """The subjects that a token may show; by GitHub's provider and for AWS alone."""
    document = account.client("iam").get_role(RoleName=account.physical[role])["Role"][
        "AssumeRolePolicyDocument"
    ]
    (statement,) = (json.loads(document) if isinstance(document, str) else document)["Statement"]
    condition = statement["Condition"]["StringEquals"]
    assert statement["Principal"] == {"Federated": PROVIDER}
    assert condition["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
    return listed(condition["token.actions.githubusercontent.com:sub"])


def _shown_by_jobs() -> set[str]:
    """GitHub's subject of a job that names an environment is the environment, whatever branch or tag it runs for."""
    found = set()
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yaml")):
        for name, job in yaml.safe_load(path.read_text())["jobs"].items():
            if any("configure-aws-credentials" in step.get("uses", "") for step in job["steps"]):
                assert "environment" in job, f"{path.name}: {name} would show a branch, which no role trusts"
                found.add(f"repo:example/slipway:environment:{job['environment']}")
    return found


def test_no_role_may_do_everything_anywhere(resources: dict[str, Any]) -> None:
    statements = [
        statement
        for resource in resources.values()
        if resource["Type"] == "AWS::IAM::Role"
        for statement in statements_of(resource)
    ]
    actions = [action for statement in statements for action in listed(statement["Action"])]
    assert [action for action in actions if "*" in action] == []
    anywhere = {
        action
        for statement in statements
        if statement["Resource"] == "*"
        for action in listed(statement["Action"])
    }
    assert anywhere == {"ecr:GetAuthorizationToken", "ec2:RunInstances", "ec2:CreateTags"}
