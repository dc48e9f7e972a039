#!/usr/bin/env bash
# Type-checks the installed wheel, where the package tree is real (in a checkout the rooms lie beside the package).
set -euo pipefail
bin=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$bin/pip" wheel --quiet --no-deps --wheel-dir "$work" .
"$bin/python" -m zipfile -e "$work"/*.whl "$work/tree"
cp pyproject.toml "$work/tree/"
config=$PWD/pyproject.toml
cd "$work/tree"
case $bin in /*) ;; *) bin=$OLDPWD/$bin ;; esac
"$bin/mypy" --config-file "$config" --python-executable "$bin/python" -p benchmark
