# Writes Tidegate's MCP server into the settings of Codex; further arguments are those of `tidegate mcp install`.
$ErrorActionPreference = "Stop"
& tidegate mcp install --client codex @args
exit $LASTEXITCODE
