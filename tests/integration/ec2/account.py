"""An AWS account in which the template became a stack, and the template as it is written."""

from __future__ import annotations

from typing import Any

import boto3
import yaml

from deploy.commands.ec2_bundle import FOLDER

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
            "DataBucket": "data",
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


def read_template() -> dict[str, Any]:
    return dict(yaml.load((FOLDER / "template.yaml").read_text(), Loader=Intrinsic)["Resources"])


def statements_of(role: Any) -> list[dict[str, Any]]:
    policies = role["Properties"].get("Policies", [])
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def listed(actions: str | list[str]) -> list[str]:
    return [actions] if isinstance(actions, str) else actions
