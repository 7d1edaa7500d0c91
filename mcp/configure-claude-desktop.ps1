# Writes Tidegate's MCP server into the settings of Claude Desktop; further arguments are those of `tidegate mcp install`.
$ErrorActionPreference = "Stop"
& tidegate mcp install --client claude-desktop @args
exit $LASTEXITCODE
