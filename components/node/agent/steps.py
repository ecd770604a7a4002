"""The table of contents of an agent run: what makes a machine, in order."""

from components.node.agent.addons import Addons
from components.node.agent.artifacts import Artifacts
from components.node.agent.balancer import Balancer
from components.node.agent.healing import Healing
from components.node.agent.host import Kernel
from components.node.agent.identity import Identity
from components.node.agent.keepsakes import Keepsakes
from components.node.agent.leader_check import LeaderCheck
from components.node.agent.master import Kubernetes
from components.node.agent.member import Etcd
from components.node.agent.packages import Packages
from components.node.agent.passthrough import Passthrough
from components.node.agent.peers import Peers
from components.node.agent.restore import Restore
from components.node.agent.restore_drill import RestoreDrill
from components.node.agent.routes import Routes
from components.node.agent.secrets import Secrets
from components.node.agent.slow_disk import SlowDisk
from components.node.agent.slow_link import SlowLink
from components.node.agent.snapshots import Snapshots
from components.node.agent.step import Step
from components.node.agent.volume import Volume
from components.node.agent.worker_token import WorkerToken
from components.node.machine import Machine


def contents() -> tuple[Step, ...]:
    """Every step there is, in the order in which they run."""
    return (
        Identity(),  # which machine am I; my address
        Kernel(),  # settings that pods and etcd need
        Healing(),  # watches what later steps make: restarts, conditions of the Node, at last another machine
        Volume(),  # attach, check, mount
        Secrets(),  # etcd certificate authorities, with the machine's own role
        Artifacts(),  # by version and sha256
        Packages(),  # of the operating system, where its image lacks some
        Restore(),  # stops this master while etcd is restored, and starts it again
        Etcd(),  # membership, then etcd itself
        Peers(),  # connections to other members over which nothing comes any more
        Snapshots(),  # etcd's, on schedule and on request, into the object store
        Passthrough(),  # from this master to whichever members live
        SlowDisk(),  # nobody waits for a member whose disk is slow
        SlowLink(),  # nobody waits for a leader whose link is slow
        LeaderCheck(),  # tells balancers when etcd has no leader here
        Kubernetes(),  # kubeadm's phases, kubelet, until this master is ready
        Addons(),  # what the cluster needs once: uploads, DNS, proxy, labels, routes
        Routes(),  # to pods of Nodes that have no agent: workers
        WorkerToken(),  # by which the next worker joins, in the cloud's secret store
        RestoreDrill(),  # the newest snapshot opened beside the cluster, daily and on request
        Keepsakes(),  # the keys that a restore elsewhere takes, wrapped; what there is, to read
        Balancer(),  # the virtual address in front of the masters
    )


def steps_of(machine: Machine) -> tuple[Step, ...]:
    """The steps that apply to `machine`."""
    return tuple(step for step in contents() if step.applies(machine))
