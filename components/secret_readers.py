"""Which role may read which secret: the same rule in every cloud's secret store. Pure."""

from collections.abc import Mapping

from components.node.machine import Role


def readers(*, external_etcd: bool) -> Mapping[str, frozenset[Role]]:
    """Secret name → roles.

    A machine that runs etcd reads the peer authority, no other does: with external etcd a lost master cannot make
    itself a member. Masters read the etcd *client* authority, to issue themselves the API server's client certificate.
    """
    masters = frozenset({Role.MASTER})
    members = frozenset({Role.MEMBER}) if external_etcd else masters
    return {
        "kubernetes-ca": masters,
        "front-proxy-ca": masters,
        "service-account": masters,
        "encryption-at-rest": masters,
        "bootstrap-token": masters,
        "etcd-client-ca": masters | members,
        "etcd-peer-ca": members,
    }
