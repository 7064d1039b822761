"""The CloudFormation template, created on moto over HTTP; what moto cannot make of it is made of its properties."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from deploy.commands.ec2_bundle import FOLDER
from deploy.image.building import TRAINING_SUFFIX
from tests.integration.ec2.account import Account
from tests.integration.ec2.conftest import GOOD
from tests.integration.ec2.instance import Instance


def test_the_stack_is_created(account: Account) -> None:
    assert account.stack["StackStatus"] == "CREATE_COMPLETE"
    roles = {"Pipeline", "Verify", "Training"}
    assert set(account.outputs) == {"Repository", "TrainingRepository", "Revisions", "Endpoint", *roles}


@pytest.mark.parametrize("name", ["Repository", "TrainingRepository"])
def test_a_tag_of_a_release_is_never_moved_and_an_image_may_be_attested_twice(
    account: Account, name: str
) -> None:
    found = account.client("ecr").describe_repositories()["repositories"]
    (repository,) = (each for each in found if each["repositoryUri"] == account.outputs[name])
    assert repository["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    moved = [each["filter"] for each in repository["imageTagMutabilityExclusionFilters"]]
    tags = {"v1.2.0": False, "f" * 40: False, f"sha256-{'a' * 64}.att": True, f"sha256-{'a' * 64}.sig": True}
    assert {tag: any(fnmatch(tag, each) for each in moved) for tag in tags} == tags


def test_the_training_image_goes_to_the_repository_that_the_workflow_pushes_to(account: Account) -> None:
    assert account.outputs["TrainingRepository"] == account.outputs["Repository"] + TRAINING_SUFFIX


def test_a_target_is_healthy_when_the_service_is_ready(account: Account) -> None:
    (group,) = account.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    (target,) = account.client("elbv2").describe_target_groups()["TargetGroups"]
    assert group["TargetGroupARNs"] == [target["TargetGroupArn"]]
    assert (group["MinSize"], len(group["Instances"])) == (2, 2)
    assert (target["HealthCheckPath"], target["Matcher"]["HttpCode"]) == ("/readyz", "200")


def test_instances_that_are_not_ready_are_replaced_from_the_first_release_on(
    account: Account, resources: dict[str, Any]
) -> None:
    (group,) = account.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert group["HealthCheckType"] == "EC2"  # nobody said Released=true, and moto ignores a change of it
    assert resources["Instances"]["Properties"]["HealthCheckType"] == ["IsReleased", "ELB", "EC2"]


def test_containers_cannot_reach_the_instances_credentials(account: Account) -> None:
    versions = account.client("ec2").describe_launch_template_versions(
        LaunchTemplateId=account.physical["LaunchTemplate"]
    )
    data = versions["LaunchTemplateVersions"][-1]["LaunchTemplateData"]
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 1


def test_nothing_but_the_load_balancer_is_open_to_the_internet(account: Account) -> None:
    groups = account.client("ec2").describe_security_groups()["SecurityGroups"]
    open_to_all = {
        (group["Description"], rule["FromPort"])
        for group in groups
        for rule in group["IpPermissions"]
        for block in rule["IpRanges"]
        if block["CidrIp"] == "0.0.0.0/0"
    }
    assert open_to_all == {("Callers of the load balancer", 443), ("Callers of the load balancer", 80)}


def test_a_revision_is_deployed_and_would_be_rolled_back(
    account: Account, resources: dict[str, Any], instance: Instance
) -> None:
    application, group = (resources[name]["Properties"] for name in ("Application", "DeploymentGroup"))
    codedeploy, bucket = account.client("codedeploy"), account.outputs["Revisions"]
    codedeploy.create_application(**_lower(application, "ApplicationName", "ComputePlatform"))
    wanted = ("DeploymentGroupName", "DeploymentConfigName", "DeploymentStyle", "AutoRollbackConfiguration")
    codedeploy.create_deployment_group(
        applicationName="slipway",
        serviceRoleArn="arn:aws:iam::123456789012:role/codedeploy",
        autoScalingGroups=[account.physical["Instances"]],
        **_lower(group, *wanted),
    )
    account.client("s3").upload_file(str(instance.bundle(GOOD)), bucket, "slipway.zip")
    started = codedeploy.create_deployment(
        applicationName="slipway",
        deploymentGroupName="production",
        revision={
            "revisionType": "S3",
            "s3Location": {"bucket": bucket, "key": "slipway.zip", "bundleType": "zip"},
        },
    )
    deployment = codedeploy.get_deployment(deploymentId=started["deploymentId"])["deploymentInfo"]
    assert deployment["revision"]["s3Location"]["bucket"] == bucket
    found = codedeploy.get_deployment_group(applicationName="slipway", deploymentGroupName="production")
    rollback = found["deploymentGroupInfo"]["autoRollbackConfiguration"]
    assert rollback == {"enabled": True, "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]}


def _lower(properties: Any, *names: str) -> dict[str, Any]:
    """The API's names for properties of a template: the same, with a small first letter."""

    def renamed(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key[0].lower() + key[1:]: renamed(inner) for key, inner in value.items()}

    return dict(renamed({name: properties[name] for name in names}))


def test_the_folder_that_the_template_writes_is_the_one_that_the_hooks_read(
    resources: dict[str, Any],
) -> None:
    started: Path = FOLDER / "hooks" / "host.sh"
    user_data = resources["LaunchTemplate"]["Properties"]["LaunchTemplateData"]["UserData"]["Fn::Base64"]
    told = {line.split("=")[0].strip() for line in user_data.splitlines() if "=$" in line}
    assert "/etc/slipway/host.env" in user_data
    assert told == {"AWS_REGION", "SECRETS_PREFIX", "LOG_GROUP"}
    assert all(f"\n{name}=" in started.read_text() for name in told)
