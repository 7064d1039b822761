# Every command of the project; `make help` lists them, and CI calls the same ones.
# A fresh machine needs Python 3.11, git and make. Nothing is installed outside this folder.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON ?= $(firstword $(foreach name,python3.11 python3 python,$(shell \
	$(name) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && echo $(name))))
BIN := .venv/bin
UV := .venv-tools/bin/uv
MODELS := $(subst _,-,$(patsubst catalog/%/definition.py,%,$(wildcard catalog/*/definition.py)))
CHOSEN = $(or $(MODEL),$(MODELS))
LOCK := $(UV) pip compile pyproject.toml --quiet --custom-compile-command "make lock"
# Clients that others wrote have environments of their own: tests make them on demand, in .venv-clients.
CLIENTS = $(basename $(notdir $(wildcard requirements/clients/*.in)))
CLIENT_LOCK := $(UV) pip compile --quiet --custom-compile-command "make lock"

# On a developer's machine the service may use development defaults; a deployment says otherwise.
export SLIPWAY_ENV ?= dev
export DATABASE_URL ?= sqlite:///var/slipway.db
# Stages of `dvc repro` say `python`: let them find ours.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# uv has settings of its own; let it use the mirror and the certificates that pip is told to use.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif
ifdef PIP_EXTRA_INDEX_URL
export UV_INDEX ?= $(PIP_EXTRA_INDEX_URL)
endif
ifdef PIP_CERT
export SSL_CERT_FILE ?= $(PIP_CERT)
endif

##@ Start here

.PHONY: help
help: ## List these targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: demo
demo: data train register promote ## From raw data to an authenticated, cached, logged prediction, step by step
	$(BIN)/python -m clients.demo

# Two processes, a file of tests to each in turn: files share what they set up. The long ones come first, as they are listed.
PYTEST_ARGS ?= -n 2 --dist loadfile --no-loadscope-reorder
.PHONY: test tests
test: setup checks-env ## Run every test (synthetic data; real data too when SLIPWAY_RAW_DIR is set)
	$(BIN)/pytest $(PYTEST_ARGS)
tests: test ## The same as `make test`

##@ Environment

.PHONY: setup
setup: .venv/.stamp ## Create or update the environment in .venv from the lock

.venv-tools/.stamp: requirements/tools.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 was not found. Install it, or say where it is: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv-tools && .venv-tools/bin/pip install --quiet --require-hashes -r requirements/tools.txt
	@touch $@

.venv/.stamp: requirements/dev.txt .venv-tools/.stamp
	@test -x $(BIN)/python || $(UV) venv --quiet --python .venv-tools/bin/python .venv
	$(UV) pip sync --quiet --require-hashes --python $(BIN)/python requirements/dev.txt
	@touch $@

.venv-checks/.stamp: requirements/checks.txt .venv-tools/.stamp
	@test -x .venv-checks/bin/python || $(UV) venv --quiet --python .venv-tools/bin/python .venv-checks
	$(UV) pip sync --quiet --require-hashes --python .venv-checks/bin/python requirements/checks.txt
	@touch $@

# Programs that no Python package carries; see deploy/binaries.py for where they come from.
.venv-tools/.programs: deploy/binaries.py deploy/debian.py .venv-tools/.stamp
	.venv-tools/bin/python -m deploy.binaries kustomize promtool cosign
	@touch $@

.PHONY: install-local-reqs
install-local-reqs: setup ## The same as `make setup`

.PHONY: lock
lock: .venv-tools/.stamp ## Rewrite the locks from pyproject.toml (LOCK_ARGS=--upgrade for newer versions)
	$(LOCK) $(LOCK_ARGS) --group dev --output-file requirements/dev.txt
	$(LOCK) --group serving --group agent --constraints requirements/dev.txt --output-file requirements/serving.txt
	$(LOCK) --group serving --group agent --group training --constraints requirements/dev.txt --output-file requirements/training.txt
	$(LOCK) $(LOCK_ARGS) --group tools --output-file requirements/tools.txt
	$(LOCK) $(LOCK_ARGS) --group checks --output-file requirements/checks.txt
	for name in $(CLIENTS); do $(CLIENT_LOCK) $(LOCK_ARGS) requirements/clients/$$name.in --output-file requirements/clients/$$name.txt || exit 1; done

.PHONY: hooks
hooks: setup ## Check every commit before it is made, and its message
	$(BIN)/pre-commit install --hook-type pre-commit --hook-type commit-msg

.PHONY: setup-commit-hook test-good-commit test-bad-commit
setup-commit-hook: hooks ## The same as `make hooks`
test-good-commit: setup ## Is a good message let through; commits nothing
	@mkdir -p var && echo "feat(iris): petals count twice" > var/message && $(MESSAGE_HOOK)
test-bad-commit: setup ## Is a bad message refused; commits nothing
	@mkdir -p var && echo "some changes" > var/message && ! $(MESSAGE_HOOK)
MESSAGE_HOOK = $(BIN)/pre-commit run conventional-commit --hook-stage commit-msg --commit-msg-filename var/message --files var/message

.PHONY: clean
clean: ## Remove caches and reports; keeps environments, data, models and records
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage* htmlcov coverage.xml
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +

##@ Quality

.PHONY: check lint layout types imports spelling
check: lint layout types imports spelling ## Everything that can be said without running the code; writes nothing
lint: setup ## Of these: rules of the code (ruff)
	$(BIN)/ruff check .
layout: setup ## Of these: layout (ruff format)
	$(BIN)/ruff format --check .
types: setup ## Of these: types (mypy --strict)
	$(BIN)/mypy
imports: setup ## Of these: who may import whom (.importlinter)
	$(BIN)/lint-imports --no-logo
spelling: setup ## Of these: spelling (typos)
	$(BIN)/typos

.PHONY: format
format: setup ## Fix what can be fixed: layout, order of imports, spelling of names
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

.PHONY: unit
unit: setup checks-env ## Only the quick tests: no servers, no training
	$(BIN)/pytest tests/unit tests/contract tests/architecture $(PYTEST_ARGS)

.PHONY: integration-tests
integration-tests: setup checks-env ## Only the tests against real servers, end to end included
	$(BIN)/pytest tests/integration tests/e2e tests/faults $(PYTEST_ARGS)

.PHONY: faults
faults: setup ## Break what the service depends on, under half load, and report (SECONDS=60 KILLS=200 ONLY=redis)
	$(BIN)/python -m tests.faults --seconds $(or $(SECONDS),60) --kills $(or $(KILLS),200) --only "$(ONLY)"

.PHONY: soak
soak: setup ## Serve a mixed load for an hour and report what memory, descriptors and threads do (MINUTES=60 WORKERS=1)
	$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),60) --workers $(or $(WORKERS),1)

.PHONY: fuzz
fuzz: setup ## Send a served process what nobody should send (REQUESTS=100000 SEED=20260102)
	$(BIN)/python -W ignore -m tests.hostile --requests $(or $(REQUESTS),100000) --seed $(or $(SEED),20260102)

.PHONY: coverage
coverage: setup checks-env ## Run every test and say which lines none of them reaches
	$(BIN)/pytest --cov --cov-report=term-missing:skip-covered $(PYTEST_ARGS)

##@ Models

.PHONY: prepare-dirs
prepare-dirs: ## Make the folders that data, models and reports go to
	mkdir -p data/downloads data/raw data/prepared data/features data/online models reports var

.PHONY: download-data
download-data: setup ## Fetch the public data sets; without a network it says so, and synthetic data remains
	$(BIN)/python -m training download $(if $(REQUIRE_REAL_DATA),,--or-offline) $(MODEL)

.PHONY: raw-pull
raw-pull: setup ## Fetch raw files as SLIPWAY_RAW_DIR holds them from RAW_DATA_URL (a bucket or folder) into data/downloads
	@rm -rf data/downloads && $(BIN)/dvc get-url --force "$${RAW_DATA_URL:?say where the raw files are}" data/downloads

.PHONY: prepare-data
prepare-data: data ## Clean, validate and split the raw data, with a report (MODEL=name for one)
	$(BIN)/dvc repro $(if $(MODEL),prepare@$(MODEL),data_preparation)

.PHONY: data
data: setup ## Write data/raw: files from SLIPWAY_RAW_DIR, downloaded ones, or a synthetic set (MODEL=name for one)
	$(BIN)/python -m training data $(MODEL)

.PHONY: train
train: data ## Train, evaluate and compile what has changed (dvc repro; MODEL=name for one)
	$(BIN)/dvc repro $(if $(MODEL),$(foreach stage,prepare featurize train evaluate compile report,$(stage)@$(MODEL)))

.PHONY: params-search
params-search: _named data ## Search hyperparameters: make params-search MODEL=name [TRIALS=15]; better ones land in params.yaml
	$(BIN)/dvc repro --quiet featurize@$(MODEL)
	$(BIN)/python -m training params-search $(MODEL) --trials $(or $(TRIALS),15) $(ARGS)

.PHONY: register
register: train ## Register the trained models in MLflow (MODEL=name for one)
	@$(BIN)/python -m training register $(CHOSEN)

.PHONY: register-model
register-model: register ## The same as `make register`

.PHONY: materialize
materialize: data ## Write features that serving looks up, as of the end of the data (MODEL=name for one)
	$(BIN)/python -m training materialize $(CHOSEN)

.PHONY: promote
promote: migrate materialize ## Judge the candidates and put them into production (MODEL=name for one)
	@$(BIN)/python -m training promote $(CHOSEN) $(ARGS)

.PHONY: notebooks
notebooks: setup ## Execute the exploration of the real data sets (needs SLIPWAY_RAW_DIR)
	$(BIN)/python -m training notebooks

.PHONY: run-jupyter
run-jupyter: setup ## Open the exploration notebooks in Jupyter on 127.0.0.1:8899
	PYTHONPATH=$(CURDIR) $(BIN)/jupyter lab --ip 127.0.0.1 --port 8899 --no-browser docs/notebooks

.PHONY: _named
_named: # first of what is about one model, before anything is done for it
	@: $(or $(value MODEL),$(error say which one: make $(firstword $(MAKECMDGOALS)) MODEL=iris))

.PHONY: gates
gates: _named migrate ## Judge the candidate of MODEL=name, or its VERSION=number, and move nothing
	$(BIN)/python -m training promote $(MODEL) --dry-run \
		$(if $(VERSION),--version $(VERSION))

.PHONY: history
history: setup ## Print who moved which alias, when, why and on what evidence (MODEL=name for one)
	@$(BIN)/python -m training history $(MODEL) --verbose

.PHONY: retrain
retrain: _named migrate ## Retrain MODEL=name on new data; what passes its gates becomes the candidate, never more
	$(BIN)/python -m training retrain $(MODEL) $(ARGS)

.PHONY: rollback
rollback: _named migrate ## Put the previous version of MODEL=name back into production (ARGS="--expect 3")
	$(BIN)/python -m training rollback $(MODEL) $(ARGS)

.PHONY: challenger
challenger: _named migrate ## Judge the candidate of MODEL=name, or its VERSION=number, and make it the challenger
	$(BIN)/python -m training promote $(MODEL) --to challenger $(if $(VERSION),--version $(VERSION)) $(ARGS)

.PHONY: dismiss
dismiss: _named migrate ## Take the challenger of MODEL=name away: production answers everybody again
	$(BIN)/python -m training dismiss $(MODEL) $(ARGS)

##@ Comparison

.PHONY: ab-report
ab-report: _named setup ## Compare two versions of MODEL=name that answered different callers (ARGS="--since 7d --weight 10")
	@$(BIN)/python -m monitoring ab-report $(MODEL) $(ARGS)

.PHONY: shadow-report
shadow-report: _named setup ## Compare what was answered with what the challenger would have said (ARGS="--since 7d --json")
	@$(BIN)/python -m monitoring shadow-report $(MODEL) $(ARGS)

##@ Service

.PHONY: migrate
migrate: setup ## Bring the database to the current schema
	@$(BIN)/python -m records upgrade --database-url "$$DATABASE_URL"

.PHONY: user
user: migrate ## Create a user: make user NAME=ada [SCOPES="predict read"]; asks for the password
	@$(BIN)/python -m auth create-user $(or $(NAME),$(error say who: make user NAME=ada)) \
		--database-url "$$DATABASE_URL" $(if $(SCOPES),--scopes "$(SCOPES)")

.PHONY: erase
erase: setup ## Take a person out of all that was logged: make erase SUBJECT=ada, or ENTITY=basket.user_id=u-17 (ARGS=--dry-run)
	@$(if $(or $(value SUBJECT),$(value ENTITY)),,$(error say whom: make erase SUBJECT=ada, or ENTITY=basket.user_id=u-17))\
		$(BIN)/python -m records erase --database-url "$$DATABASE_URL" $(ARGS) \
		$(if $(value ENTITY),--entity="$$ENTITY",-- "$$SUBJECT")

.PHONY: serve
serve: migrate ## Serve the promoted models on API_HOST:API_PORT (127.0.0.1:8000)
	$(BIN)/python -m serving

.PHONY: bench
bench: train ## Measure the service beside its peers, on this machine
	$(BIN)/python -m bench $(ARGS)

##@ Image

# BACKEND, IMAGE_NAME, IMAGE_TAG, BASE_IMAGE, PLATFORM, BAKED and others come from the environment: deploy/image/settings.py.
IMAGE_COMMAND := $(BIN)/python -m deploy image
ON_IMAGE = $(if $(value IMAGE),--image "$$IMAGE")

.PHONY: image
image: setup ## Bake the promoted models, build the Bento and the image (BACKEND=docker|podman|buildah BASE_IMAGE=...)
	@$(IMAGE_COMMAND) build

.PHONY: training-image
training-image: setup ## Build the image of the training environment: MLflow server, DVC, retraining, batches
	@$(IMAGE_COMMAND) build --training

.PHONY: image-test
image-test: setup ## Build an image around a sample model and try it as production would (IMAGE=name to try that one)
	@$(IMAGE_COMMAND) test $(ON_IMAGE)

.PHONY: training-image-test
training-image-test: setup ## The same for the training environment: it trains, and its MLflow server keeps
	@$(IMAGE_COMMAND) test --training $(ON_IMAGE)

.PHONY: image-size
image-size: setup ## What takes the space in the image; fails over IMAGE_BUDGET_MB
	@$(IMAGE_COMMAND) size $(ON_IMAGE)

.PHONY: image-digest
image-digest: setup ## The digest of what the image holds: equal for two builds of one commit on one base
	@$(IMAGE_COMMAND) digest $(ON_IMAGE)

.PHONY: image-sbom
image-sbom: setup ## Write reports/sbom.json, the image's bill of materials, and hold it against the lock
	@$(IMAGE_COMMAND) sbom $(ON_IMAGE)

.PHONY: push
push: setup ## Push the image; prints its name with the digest that the registry gave it
	@$(IMAGE_COMMAND) push $(ON_IMAGE)

.PHONY: prepare-prod build-prod run-prod test-prod
prepare-prod: register promote ## Everything that an image carries: trained, registered, promoted
build-prod: image ## The same as `make image`
run-prod: setup ## Serve from the image on 127.0.0.1:8090, in the foreground
	@$(IMAGE_COMMAND) run $(ON_IMAGE)
test-prod: image-test ## The same as `make image-test`

.PHONY: up
up: setup ## The whole stack from images: service, agent, Redis, PostgreSQL (PROFILES=registry: MLflow, too)
	@$(BIN)/python -m deploy stack up $(foreach profile,$(PROFILES),--profile $(profile))
.PHONY: down
down: setup ## Stop it; data stays in its volumes (ARGS=--volumes removes them)
	@$(BIN)/python -m deploy stack down $(ARGS)

##@ Manifests

.PHONY: checks-env
checks-env: .venv-checks/.stamp .venv-tools/.programs ## Create or update .venv-checks: checkov, cfn-lint, zizmor, schemas; kustomize, promtool

.PHONY: manifests
manifests: setup checks-env ## Everything that is checked about manifests: renders, schemas, Pod Security, policy, rules, checkov
	$(BIN)/pytest tests/manifests $(PYTEST_ARGS)

.PHONY: rules
rules: setup .venv-tools/.programs ## Of these: the alert rules, by promtool
	@$(BIN)/python -m deploy rules $(OVERLAY)

.PHONY: golden
golden: setup .venv-tools/.programs ## Rewrite tests/manifests/golden, the renders that reviewers see changes of
	@$(BIN)/python -m deploy golden --write

.PHONY: render
render: setup .venv-tools/.programs ## Print what an overlay sends to a cluster: make render OVERLAY=staging
	@$(BIN)/python -m deploy render $(or $(OVERLAY),$(error say which one: make render OVERLAY=staging))

.PHONY: diff
diff: setup .venv-tools/.programs ## What changes in a cluster since BASE=main, object by object (OVERLAY=name for one)
	@$(BIN)/python -m deploy diff $(or $(BASE),main) $(OVERLAY) $(ARGS) || test $$? -eq 1

##@ Promotion

# What a person or a workflow gives reaches the shell as a variable, "$$DIGEST", and never as text of the command: make hands
# on what it was given. Where it looks at it itself it takes the `value`, because a plain reference would run `$(shell ...)`.
DEPLOY := $(BIN)/python -m deploy
given = $(foreach name,$(1),$(if $(value $(name)),,$(error say $(name): make $(firstword $(MAKECMDGOALS)) $(foreach each,$(1),$(each)=...))))

# Whose signature counts: SIGNED_KEY=cosign.pub (UNLOGGED=yes where it was made without the public log), or SIGNED_BY, a pattern of the
# address of the workflow that signs keyless. Where one of them is set nothing else is proposed, or called verified.
SIGNER = $(if $(value SIGNED_KEY),--key "$$SIGNED_KEY" $(if $(value UNLOGGED),--unlogged),$(if $(value SIGNED_BY),--identity "$$SIGNED_BY"))

# Overlays that record versions answer to callers: whatever SLIPWAY_ENV is here, made-up data are taken with SYNTHETIC=yes only.
ON_DATA = $(if $(value SYNTHETIC),--synthetic,--real-data)

.PHONY: plain-inputs
plain-inputs: ## Refuse inputs that are more than a name, a number, a digest or a commit
	@for each in "$$OVERLAY" "$$MODEL" "$$VERSION" "$$DIGEST" "$$FROM" "$$COMMIT" "$$WORKLOAD" "$$SINCE" "$$ACTOR" "$$REVISION" "$$IMAGE" "$$TAG"; do \
		case "$$each" in -*|*[!][A-Za-z0-9._:/@~^-]*) echo "neither a name nor a number, digest or commit: $$each" >&2; exit 2;; esac; done; \
	case "$$IMAGE_NAME" in *[A-Z]*) echo "no registry takes the capitals of $$IMAGE_NAME: set the variable IMAGE_NAME" >&2; exit 2;; esac

.PHONY: deploy-pr
deploy-pr: plain-inputs setup .venv-tools/.programs ## Propose an image: make deploy-pr OVERLAY=staging DIGEST=sha256:... (or FROM=staging)
	$(call given,OVERLAY $(if $(value FROM),FROM,DIGEST))$(if $(and $(SIGNER),$(value DIGEST)),@image="$$($(DEPLOY) about image "$$OVERLAY" --image "$${IMAGE:-slipway}")" && \
		$(DEPLOY) signed "$${image%@*}@$$DIGEST" $(SIGNER))
	@$(DEPLOY) pull-request image "$$OVERLAY" \
		$(if $(value FROM),--from "$$FROM",--digest "$$DIGEST") --image "$${IMAGE:-slipway}" --revision "$$REVISION"

.PHONY: model-pr
model-pr: plain-inputs _named migrate .venv-tools/.programs ## Propose a version after its gates: make model-pr OVERLAY=production MODEL=iris [VERSION=4]
	$(call given,OVERLAY MODEL)@alias="$$($(DEPLOY) about alias "$$OVERLAY")" && $(BIN)/python -m training promote "$$MODEL" --to "$$alias" \
		--dry-run --report var/gates.json $(ON_DATA) $(if $(value VERSION),--version "$$VERSION") $(ARGS)
	@$(DEPLOY) pull-request model "$$OVERLAY" "$$MODEL" --report var/gates.json

.PHONY: model-prs
model-prs: plain-inputs ## Propose the candidate of every model that passes its gates: make model-prs OVERLAY=production
	$(call given,OVERLAY)@failed=; for model in $(CHOSEN); do $(MAKE) --no-print-directory model-pr MODEL=$$model || failed="$$failed $$model"; done; \
		test -z "$$failed" || { echo "no pull request for:$$failed"; exit 1; }

.PHONY: revert-pr
revert-pr: plain-inputs setup .venv-tools/.programs ## Propose to take a merged promotion back: make revert-pr COMMIT=hash
	$(call given,COMMIT)@$(DEPLOY) pull-request revert "$$COMMIT"

.PHONY: aliases
aliases: plain-inputs migrate ## Move the registry's aliases to what models.env says: make aliases OVERLAY=production [SINCE=HEAD~1]
	$(call given,OVERLAY)@alias="$$($(DEPLOY) about alias "$$OVERLAY")" && $(BIN)/python -m training align "kustomize/overlays/$$OVERLAY/models.env" \
		--to "$$alias" $(ON_DATA) $(if $(value SINCE),--since "$$SINCE") $(if $(value ACTOR),--actor "$$ACTOR") $(ARGS)

.PHONY: aliases-check
aliases-check: plain-inputs migrate ## Do Git and the registry agree, and if not, which is ahead: make aliases-check OVERLAY=production
	$(call given,OVERLAY)@alias="$$($(DEPLOY) about alias "$$OVERLAY")" && $(BIN)/python -m training align "kustomize/overlays/$$OVERLAY/models.env" \
		--to "$$alias" --check

.PHONY: sign
sign: plain-inputs setup ## Sign IMAGE=name@sha256:... with cosign, and attest its SBOM and provenance (ARGS="--key file --unlogged")
	$(call given,IMAGE)@$(BIN)/python -m deploy.binaries cosign && models="$$($(DEPLOY) image models --image "$$IMAGE")" && \
		$(BIN)/python -m training lineage --versions "$$models"
	@$(DEPLOY) sign "$$IMAGE" --builder "$${BUILDER:-https://localhost}" $(ARGS)

.PHONY: signed
signed: plain-inputs setup ## Is IMAGE=name@sha256:... signed by SIGNED_KEY or SIGNED_BY, its SBOM and provenance attested
	$(call given,IMAGE)@$(DEPLOY) signed "$$IMAGE" $(or $(SIGNER),$(error say whose signature counts: SIGNED_KEY=cosign.pub or SIGNED_BY=pattern))

.PHONY: verify
verify: plain-inputs setup ## Wait until every pod runs the digest that Git says and answers: make verify OVERLAY=staging [WORKLOAD=rollout/slipway]
	$(call given,OVERLAY)@image="$$($(DEPLOY) about image "$$OVERLAY")" && namespace="$$($(DEPLOY) about namespace "$$OVERLAY")" && \
		$(if $(SIGNER),$(DEPLOY) signed "$$image" $(SIGNER) &&) \
		$(BIN)/python -m k8s rollout $${WORKLOAD:+"$$WORKLOAD"} --image "$$image" --namespace "$$namespace" \
			--timeout "$${VERIFY_SECONDS:-1500}" && \
		$(BIN)/python -m k8s smoke --namespace "$$namespace" $(if $(value SLIPWAY_TOKEN),,--sign-from-secret) $(ARGS)

.PHONY: kubeconfig
kubeconfig: ## Write KUBE_CONFIG, a secret of the workflow, where KUBECONFIG says
	@umask 077 && printf '%s' "$$KUBE_CONFIG" > "$$KUBECONFIG"

.PHONY: registry-login
registry-login: plain-inputs ## Log docker in to REGISTRY: with REGISTRY_USER and REGISTRY_PASSWORD, or at ECR with the role that is assumed
	@case "$$REGISTRY" in \
		*.dkr.ecr.*) aws ecr get-login-password | docker login --username AWS --password-stdin "$$REGISTRY";; \
		*) printf '%s' "$$REGISTRY_PASSWORD" | docker login --username "$$REGISTRY_USER" --password-stdin "$$REGISTRY";; esac

.PHONY: released
released: plain-inputs setup ## Push the image, or IMAGE=name, and print its name and digest as a workflow reads them
	@image="$$($(DEPLOY) image push $(if $(value IMAGE),--image "$$IMAGE"))" && printf 'image=%s\ndigest=%s\n' "$$image" "$${image#*@}"

.PHONY: retag
retag: plain-inputs setup ## Give an image that was pushed another tag, bytes and signatures as they are: make retag IMAGE=name:commit TAG=v1.0.0
	$(call given,IMAGE TAG)@$(BIN)/python -m deploy.binaries cosign && .venv-tools/bin/cosign copy --force "$$IMAGE" "$${IMAGE%:*}:$$TAG"

.PHONY: rendered-diff
rendered-diff: setup .venv-tools/.programs ## Write reports/rendered-diff.md: what changes in a cluster since BASE=main, as far as a comment may be long
	@mkdir -p reports && { $(DEPLOY) diff "$${BASE:-main}" --markdown > reports/rendered-diff.all || test $$? -eq 1; } && \
		head --bytes 60000 reports/rendered-diff.all > reports/rendered-diff.md && rm reports/rendered-diff.all

.PHONY: workflows
workflows: setup checks-env ## Check the workflows: zizmor, and actionlint where it can be had (STRICT=1 insists)
	.venv-checks/bin/zizmor --offline --quiet --no-progress --persona pedantic .github
	@if $(BIN)/python -m deploy.binaries actionlint; then .venv-tools/bin/actionlint -shellcheck= -pyflakes=; \
		else test -z "$(STRICT)" && echo "actionlint is not here: its rules were not asked"; fi

.PHONY: unchanged
unchanged: ## Does the work tree hold exactly what is committed
	@git status --short && git diff --exit-code && test -z "$$(git status --porcelain)"

.PHONY: data-pull data-push
data-pull: setup ## Fetch data, models and the run cache from DVC_REMOTE_URL
	$(BIN)/python -m training remote && $(BIN)/dvc pull --run-cache --allow-missing
data-push: setup ## Keep data, models and the run cache at DVC_REMOTE_URL
	$(BIN)/python -m training remote && $(BIN)/dvc push --run-cache
