"""What machines on AWS are told at boot, and what they fetch: a stock image has nothing of ours."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.aws.backups import Upload
from components.machine_document import Cluster, Identity, document
from components.node import bundle, cloud_init
from components.node.machine import Artifact
from toolchain import artifacts, cache, cloud_controller, cloud_libraries, debian_packages


@dataclass(frozen=True)
class Provisions:
    """Everything that machines fetch, and the cloud-init that makes them fetch it."""

    built: artifacts.Artifacts
    libraries: artifacts.Artifact
    """What the agent imports, AWS's SDK among it."""
    packages: artifacts.Artifact
    """What the image's Debian lacks."""
    controller: artifacts.Artifact
    """AWS's controller manager."""
    agent: bundle.Bundle

    @property
    def uploads(self) -> Mapping[str, Upload]:
        """Key in the bucket → file."""
        files = [*self.files, self.libraries]
        uploads = {key_of(file): Upload(file.source, file.sha256) for file in files}
        return {**uploads, self.agent.key: Upload(self.agent.write(cache.root() / "agent"), self.agent.sha256)}

    @property
    def files(self) -> list[artifacts.Artifact]:
        """Binaries, images and packages of machines; the local machines' libraries are not for these."""
        common = (file for file in self.built.artifacts if file.name != artifacts.AGENT_LIBRARIES)
        return [*common, self.packages, self.controller]

    def user_data(self, cluster: Cluster, identity: Identity) -> str:
        """The cloud-init of a machine, or of all machines of a group."""
        wanted = [machine_artifact(file) for file in self.files if identity.role in file.roles]
        source = cloud_init.AgentSource(
            bundle_key=self.agent.key,
            bundle_sha256=self.agent.sha256,
            libraries_key=key_of(self.libraries),
            libraries_sha256=self.libraries.sha256,
        )
        return cloud_init.render(document(cluster, identity, wanted), source)


def provisions() -> Provisions:
    """What the toolchain made.

    Raises:
        RunError: it has not made it yet; says which command does.
    """
    try:
        return Provisions(
            built=artifacts.load(),
            libraries=cloud_libraries.load("aws"),
            packages=debian_packages.load(),
            controller=cloud_controller.load("aws"),
            agent=bundle.build(),
        )
    except artifacts.MissingArtifactsError as error:
        raise pulumi.RunError(str(error)) from None


def key_of(file: artifacts.Artifact) -> str:
    """Where a file is in the bucket: another content is another object."""
    return f"artifacts/{file.sha256}/{file.name}"


def machine_artifact(file: artifacts.Artifact) -> Artifact:
    """A file as the machine document names it."""
    return Artifact(name=file.name, key=key_of(file), sha256=file.sha256, path=file.path, executable=file.executable)
