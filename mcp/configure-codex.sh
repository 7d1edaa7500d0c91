#!/usr/bin/env bash
# Writes Tidegate's MCP server into the settings of Codex; further arguments are those of `tidegate mcp install`.
set -euo pipefail
exec tidegate mcp install --client codex "$@"
