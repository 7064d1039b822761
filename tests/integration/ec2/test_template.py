"""The CloudFormation template, created on moto over HTTP; what moto cannot make of it is made of its properties."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from deploy.commands.ec2_bundle import FOLDER
from tests.integration.ec2.conftest import GOOD
from tests.integration.ec2.instance import Instance
from tests.s3_server import S3Server

PROVIDER = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"


class Intrinsic(yaml.SafeLoader):
    """Reads `!Ref` and its like as the text or list behind them."""


Intrinsic.add_multi_constructor("!", lambda loader, _, node: _plain(loader, node))


def _plain(loader: yaml.SafeLoader, node: yaml.Node) -> object:
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.ScalarNode)
    return loader.construct_scalar(node)


class Account:
    """An AWS account on loopback, with a stack of the template in it."""

    def __init__(self, url: str) -> None:
        self._url = url
        ec2 = self.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=block, AvailabilityZone=zone)["Subnet"]["SubnetId"]
            for block, zone in (("10.0.0.0/24", "us-east-1a"), ("10.0.1.0/24", "us-east-1b"))
        ]
        certificate = self.client("acm").request_certificate(DomainName="slipway.example.com")
        parameters = {
            "VpcId": vpc,
            "PublicSubnets": ",".join(subnets),
            "PrivateSubnets": ",".join(subnets),
            "CertificateArn": certificate["CertificateArn"],
            "OidcProviderArn": PROVIDER,
        }
        stacks = self.client("cloudformation")
        stacks.create_stack(
            StackName="slipway",
            TemplateBody=(FOLDER / "template.yaml").read_text(),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
        (self.stack,) = stacks.describe_stacks(StackName="slipway")["Stacks"]
        found = stacks.describe_stack_resources(StackName="slipway")["StackResources"]
        made = [
            item for item in found if "LogicalResourceId" in item
        ]  # moto has none for kinds that it skips
        self.physical = {item["LogicalResourceId"]: item["PhysicalResourceId"] for item in made}
        self.outputs = {item["OutputKey"]: item["OutputValue"] for item in self.stack["Outputs"]}

    def client(self, service: str) -> Any:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, endpoint_url=self._url, region_name="us-east-1", **keys)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    server = S3Server(tmp_path_factory.mktemp("aws"))
    try:
        yield Account(server.url)
    finally:
        server.stop()


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    template = yaml.load((FOLDER / "template.yaml").read_text(), Loader=Intrinsic)
    return dict(template["Resources"])


def test_the_stack_is_created(account: Account) -> None:
    assert account.stack["StackStatus"] == "CREATE_COMPLETE"
    assert set(account.outputs) == {"Repository", "Revisions", "Endpoint", "Pipeline"}


def test_a_tag_of_the_repository_is_never_moved(account: Account) -> None:
    (repository,) = account.client("ecr").describe_repositories()["repositories"]
    assert repository["repositoryUri"] == account.outputs["Repository"]
    assert repository["imageTagMutability"] == "IMMUTABLE"


def test_instances_are_replaced_when_the_service_is_not_ready(account: Account) -> None:
    (group,) = account.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    (target,) = account.client("elbv2").describe_target_groups()["TargetGroups"]
    assert (group["HealthCheckType"], group["TargetGroupARNs"]) == ("ELB", [target["TargetGroupArn"]])
    assert (group["MinSize"], len(group["Instances"])) == (2, 2)
    assert (target["HealthCheckPath"], target["Matcher"]["HttpCode"]) == ("/readyz", "200")


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


def test_the_pipelines_role_trusts_one_branch_of_one_repository(account: Account) -> None:
    role = account.client("iam").get_role(RoleName=account.physical["PipelineRole"])["Role"]
    document = role["AssumeRolePolicyDocument"]
    (statement,) = (json.loads(document) if isinstance(document, str) else document)["Statement"]
    condition = statement["Condition"]["StringEquals"]
    subject = condition["token.actions.githubusercontent.com:sub"]
    assert statement["Principal"] == {"Federated": PROVIDER}
    assert subject == "repo:example/slipway:ref:refs/heads/main"


def test_no_role_may_do_everything_anywhere(resources: dict[str, Any]) -> None:
    statements = [
        statement
        for resource in resources.values()
        if resource["Type"] == "AWS::IAM::Role"
        for policy in resource["Properties"].get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    actions = [action for statement in statements for action in _listed(statement["Action"])]
    assert [action for action in actions if "*" in action] == []
    anywhere = {
        action
        for statement in statements
        if statement["Resource"] == "*"
        for action in _listed(statement["Action"])
    }
    assert anywhere == {"ecr:GetAuthorizationToken", "ec2:RunInstances", "ec2:CreateTags"}


def _listed(actions: str | list[str]) -> list[str]:
    return [actions] if isinstance(actions, str) else actions


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
