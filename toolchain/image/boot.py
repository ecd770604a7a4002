"""How a machine of the local cloud boots: what is left out, so that the agent starts within half a second.

Measured on two cores, from systemd-nspawn's start to the first command of the user data: 3.1 s as Debian comes, 0.5 s
so. Most of it is cloud-init: four Python processes instead of one.
"""

from typing import Final

MASKED: Final = "/dev/null"
"""What systemd takes a link to as: this does not exist."""

CLOUD_INIT: Final = "cloud-init-all-stages.service"

UNITS_LEFT_OUT: Final = (
    # Their four stages run in one process instead.
    "cloud-config.service",
    "cloud-final.service",
    "cloud-init-hotplugd.socket",
    "cloud-init-local.service",
    "cloud-init.service",
    # The cloud sets addresses, routes and names before the machine boots.
    "systemd-networkd.service",
    "systemd-networkd.socket",
    "systemd-networkd-wait-online.service",
    # The kernel belongs to the host.
    "dev-hugepages.mount",
    "modprobe@.service",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "systemd-modules-load.service",
    "systemd-pstore.service",
    # Nobody logs in.
    "getty.target",
    "systemd-ask-password-console.path",
    "systemd-ask-password-wall.path",
    "systemd-initctl.socket",
    "systemd-logind.service",
    "systemd-update-utmp-runlevel.service",
    "systemd-update-utmp.service",
    "systemd-user-sessions.service",
    # Done once, when the image is built.
    "systemd-sysusers.service",
    # The journal lives in memory; a machine's disk is gone with it anyway.
    "systemd-journal-flush.service",
    "systemd-tmpfiles-clean.timer",
)

GENERATORS_LEFT_OUT: Final = (
    "cloud-init-generator",
    "systemd-cryptsetup-generator",
    "systemd-fstab-generator",
    "systemd-getty-generator",
    "systemd-gpt-auto-generator",
    "systemd-hibernate-resume-generator",
    "systemd-integritysetup-generator",
    "systemd-rc-local-generator",
    "systemd-system-update-generator",
    "systemd-sysv-generator",
    "systemd-veritysetup-generator",
)

PRESET: Final = f"""\
# Services of packages (haproxy, keepalived, apt's timers) do not start by themselves: the agent starts what it needs.
enable {CLOUD_INIT}
disable *
"""

# Only what the user data uses: write_files, and runcmd, which scripts-user runs. It replaces Debian's configuration and
# is as short as can be, since cloud-init parses it fifteen times in a boot. Warnings go to the machine's console.
CLOUD_CONFIG: Final = """\
datasource_list: [NoCloud]
datasource: {NoCloud: {fs_label: null}}
network: {config: disabled}
preserve_hostname: true
cloud_init_modules: [write-files]
cloud_config_modules: [runcmd]
cloud_final_modules: [scripts-user]
system_info: {distro: debian}
log_cfgs:
- |
  [loggers]
  keys=root,cloudinit
  [handlers]
  keys=console,file
  [formatters]
  keys=line
  [logger_root]
  level=DEBUG
  handlers=console,file
  [logger_cloudinit]
  level=DEBUG
  handlers=
  qualname=cloudinit
  [handler_console]
  class=StreamHandler
  level=WARNING
  formatter=line
  args=(sys.stderr,)
  [handler_file]
  class=FileHandler
  level=DEBUG
  formatter=line
  args=('/var/log/cloud-init.log', 'a', 'UTF-8')
  [formatter_line]
  format=%(asctime)s %(filename)s[%(levelname)s]: %(message)s
"""

# As `cloud-init --all-stages` of cloud-init 24.3 and later; Debian 12 has 22.4.
ALL_STAGES: Final = """\
#!/usr/bin/python3
import sys

from cloudinit.cmd.main import main

STAGES = (["init", "--local"], ["init"], ["modules", "--mode=config"], ["modules", "--mode=final"])
sys.exit(any([main(["cloud-init", *stage]) for stage in STAGES]))
"""

# After multi-user.target, as cloud-final.service: a command of the user data may wait for any unit of the boot.
ALL_STAGES_UNIT: Final = """\
[Unit]
Description=cloud-init, all stages in one process
RequiresMountsFor=/var/lib/cloud
After=multi-user.target

[Service]
Type=oneshot
ExecStart=/usr/local/lib/cloud-init/all-stages
RemainAfterExit=yes
TimeoutSec=0
KillMode=process
TasksMax=infinity
StandardOutput=journal+console

[Install]
WantedBy=multi-user.target
"""

JOURNAL: Final = """\
[Journal]
Storage=volatile
RuntimeMaxUse=32M
"""

FILES: Final = {
    "etc/cloud/cloud.cfg": CLOUD_CONFIG,
    "etc/machine-id": "",
    f"etc/systemd/system/{CLOUD_INIT}": ALL_STAGES_UNIT,
    "etc/systemd/journald.conf.d/50-kube-ha.conf": JOURNAL,
    "etc/systemd/system-preset/00-kube-ha.preset": PRESET,
}

REMOVED: Final = (
    "etc/cloud/cloud.cfg.d/05_logging.cfg",
    # Those of the machine that built the image; the cloud writes each machine's own.
    "etc/hostname",
    "etc/resolv.conf",
)

PROGRAMS: Final = {"usr/local/lib/cloud-init/all-stages": ALL_STAGES}

LINKS: Final = {
    "etc/systemd/system/default.target": "/lib/systemd/system/multi-user.target",
    **{f"etc/systemd/system/{unit}": MASKED for unit in UNITS_LEFT_OUT},
    **{f"etc/systemd/system-generators/{generator}": MASKED for generator in GENERATORS_LEFT_OUT},
}
