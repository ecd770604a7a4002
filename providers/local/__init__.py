"""A Pulumi provider whose cloud is this machine: zones, machine groups, volumes, secrets and buckets."""
