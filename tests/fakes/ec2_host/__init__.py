"""Programs of an EC2 instance for the CodeDeploy hooks to call: docker, aws, systemctl and chown, in a folder of a test."""
