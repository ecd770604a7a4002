# Thin on purpose: every target is one or two commands that work by hand as well, after `eval "$(make -s env)"`.

STACK   ?= local
PYTHON  ?= python3
VENV    := .venv
PY      := $(VENV)/bin/python
UV      := 0.13.9
LOCK    := $(shell sha256sum requirements.lock | cut -c1-16)
SYNCED  := $(VENV)/.synced-$(LOCK)
WITH    := eval "$$($(PY) -m toolchain env)" &&
LOCAL   := $(PY) -m providers.local
ROOT    := $(filter 0,$(shell id -u))

.DEFAULT_GOAL := help
.PHONY: help up down preview kubeconfig add-ons worker machines kill cut heal console snapshot snapshots prove rotate-authorities recovery-keys adopt-keys fetch-snapshot restore tools env test test-fast test-machines lint format bench drill drift

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo '  STACK=$(STACK) unless you say another: $(patsubst stacks/Pulumi.%.yaml,%,$(wildcard stacks/Pulumi.*.yaml))'

up: tools-quiet ## a control plane that answers: tools, pulumi up, kubeconfig
	@$(PY) -m cli up $(STACK)

down: $(SYNCED) ## destroy the stack and all its data, and leave nothing behind
	@$(PY) -m cli down $(STACK)

preview: tools-quiet ## what pulumi up would change, and which policies it would break
	@$(PY) -m cli preview $(STACK)

kubeconfig: $(SYNCED) ## print the administrator's kubeconfig
	@$(PY) -m cli kubeconfig $(STACK)

add-ons: $(SYNCED) ## print what spreads a managed cluster's add-ons over its zones, for kubectl apply --server-side
	@$(PY) -m cli add-ons $(STACK)

worker: $(SYNCED) ## print a worker machine's cloud-init, whose token is valid for a day: ZONE=zone-a
	@$(PY) -m cli worker $(STACK) $(or $(ZONE),$(error ZONE is not set: make worker ZONE=zone-a))

machines: $(SYNCED) ## the machines of a local stack and how they are
	@$(LOCAL) machines --stack $(STACK)

kill: $(SYNCED) ## end a machine at once: MACHINE=master-1
	@$(LOCAL) kill $(or $(MACHINE),$(error MACHINE is not set: make kill MACHINE=master-1)) --stack $(STACK)

cut: $(SYNCED) ## cut a zone off from everything: ZONE=zone-a
	@$(LOCAL) cut $(or $(ZONE),$(error ZONE is not set: make cut ZONE=zone-a)) --stack $(STACK)

heal: $(SYNCED) ## undo every cut
	@$(LOCAL) heal --stack $(STACK)

console: $(SYNCED) ## what a machine prints: MACHINE=master-1
	@$(LOCAL) console $(or $(MACHINE),$(error MACHINE is not set: make console MACHINE=master-1)) --stack $(STACK)

snapshot: $(SYNCED) ## snapshot etcd now and print the snapshot's name
	@$(PY) -m cli snapshot $(STACK)

snapshots: $(SYNCED) ## etcd's snapshots: name, age, size, revision, proven by a restore or not
	@$(PY) -m cli snapshots $(STACK)

prove: $(SYNCED) ## restore a snapshot beside the cluster and compare: [SNAPSHOT=name], else the newest
	@$(PY) -m cli prove $(STACK) $(if $(SNAPSHOT),--snapshot $(SNAPSHOT))

restore: $(SYNCED) ## make etcd what a snapshot holds: [SNAPSHOT=name | AT=time | FROM=file] [DRY_RUN=1] [YES=1] [SUPERSEDE=1]
	@$(PY) -m cli restore $(STACK) $(if $(SNAPSHOT),--snapshot $(SNAPSHOT)) $(if $(AT),--at $(AT)) $(if $(FROM),--from $(FROM)) $(if $(DRY_RUN),--dry-run) $(if $(YES),--yes) $(if $(SUPERSEDE),--supersede)

rotate-authorities: tools-quiet ## the next of three steps to new certificate authorities, machine by machine: [YES=1]
	@$(PY) -m cli rotate-authorities $(STACK) $(if $(YES),--yes)

recovery-keys: $(SYNCED) ## the keys that a restore into another stack takes, unwrapped: FILE=keys.json
	@$(PY) -m cli recovery-keys $(STACK) $(or $(FILE),$(error FILE is not set: make recovery-keys FILE=keys.json))

adopt-keys: tools-quiet ## give a stack that is not up yet the keys of another, to restore its snapshot there: FILE=keys.json
	@$(PY) -m cli adopt-keys $(STACK) $(or $(FILE),$(error FILE is not set: make adopt-keys FILE=keys.json))

fetch-snapshot: $(SYNCED) ## a snapshot as a file: FILE=snapshot.db [SNAPSHOT=name], else the newest
	@$(PY) -m cli fetch-snapshot $(STACK) $(or $(FILE),$(error FILE is not set: make fetch-snapshot FILE=snapshot.db)) $(if $(SNAPSHOT),--snapshot $(SNAPSHOT))

tools: $(SYNCED) ## get every tool and the machine image, and say what came from where
	@$(PY) -m toolchain tools
	@$(PY) -m toolchain.image

.PHONY: tools-quiet
tools-quiet: $(SYNCED)
	@$(PY) -m toolchain tools --quiet
	@$(PY) -m toolchain.image >/dev/null

.PHONY: rehearse cloud-tools
rehearse: tools-quiet ## play a cloud stack's whole life on an emulated cloud, no account needed: STACK=prod-aws
	@$(PY) -m rehearsal run --stack $(STACK)

CLOUD ?= aws
cloud-tools: tools-quiet ## make what the machines of a cloud fetch at boot: CLOUD=aws
	@$(if $(filter aws,$(CLOUD)),,$(error CLOUD=$(CLOUD): accepted: aws; managed control planes need none))$(PY) -m toolchain.cloud_libraries $(CLOUD)
	@$(PY) -m toolchain.cloud_controller $(CLOUD)
	@$(PY) -m toolchain.debian_packages

env: $(SYNCED) ## print the exports that put the tools on PATH and set Pulumi's backend, for eval: [REHEARSAL=1]
	@$(PY) -m $(if $(REHEARSAL),rehearsal,toolchain) env

# CI runs the part that boots machines, what is slow, and what takes AWS's controller manager as well; a developer has an
# answer in minutes, and asks for the rest with test-machines and test-fast CI=true.
test: lint test-fast $(if $(CI),test-machines) ## lint, types, and the tests; with CI=true also what is slow, and the machines

# Members of real etcd clusters compete for processors there: what fails is run once more, alone, and stays in the output.
FAST = 'not machines and not campaign$(if $(CI),, and not slow)'

test-fast: $(SYNCED)
	@$(PY) -m toolchain tools --quiet $(if $(ROOT),,pulumi kubectl)
	@$(if $(and $(CI),$(ROOT)),$(PY) -m toolchain tools --quiet aws-cloud-controller-manager)
	@$(WITH) $(PY) -m pytest --numprocesses auto --dist worksteal -m $(FAST) || \
		$(PY) -m pytest --last-failed --last-failed-no-failures none -m $(FAST)

test-machines: $(SYNCED) ## the tests that boot machines (root)
ifeq ($(ROOT),0)
	@$(MAKE) --no-print-directory tools
	@$(WITH) $(PY) -m pytest -m 'machines and not campaign'
else
	@echo 'test-machines: skipped, it needs root'
endif

.PHONY: campaign
campaign: tools-quiet ## what takes long, or is not seen to hold on machines yet, apart from CI (root)
	@$(WITH) $(PY) -m pytest -m campaign

lint: $(SYNCED) ## ruff and mypy
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@echo 'types …' >&2 && $(PY) -m mypy .

format: $(SYNCED) ## let ruff rewrite what it can
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

bench: tools-quiet ## boot to Ready, memory per process, cost of the program
	@$(WITH) $(PY) -m bench --stack $(STACK)

.PHONY: drill-reference drill-controls
DRILL = $(WITH) $(PY) -m drills
DRILLED = --kubeconfig .state/kubeconfig-$(STACK) --stack $(STACK)
FAULTS = $(addprefix --fault ,$(FAULT))

drill: $(SYNCED) ## faults, probes, verdict, report: [FAULT="name …"], else all; [REPEAT=5] [LOAD=file] [TIMES=1] [OUTPUT=folder to go on with]
	@$(DRILL) run $(DRILLED) $(FAULTS) --repeat $(or $(REPEAT),5) $(if $(LOAD),--load $(LOAD)) $(if $(TIMES),--times $(TIMES)) $(if $(OUTPUT),--output $(OUTPUT))

drill-reference: $(SYNCED) ## ours and kubeadm's documents under the same faults, with the ratios: [FAULT=…] [REPEAT=3]
	@$(DRILL) reference $(DRILLED) $(FAULTS) --repeat $(or $(REPEAT),3)

drill-controls: $(SYNCED) ## clusters made bad on purpose, each of which must be found out: [CONTROL=name]
	@$(DRILL) controls $(DRILLED) $(if $(CONTROL),--control $(CONTROL))

drift: $(SYNCED) ## what was changed behind the program's back, judged by the policies
	@$(WITH) $(PY) -m policy.drift $(STACK)

# The stamp is named for what the lock contains: instant the second time, done again when the lock changes.
$(SYNCED): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kube-ha needs Python 3.11 or newer, this is " + sys.version)'
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check uv==$(UV)
	@echo 'Python environment …' >&2 && $(PY) -m uv pip sync --quiet --require-hashes --python $(PY) requirements.lock
	@rm -f $(VENV)/.synced-* && touch $@
