"""An MCP client of others: the official Python SDK, over `tidegate mcp serve --stdio`.

peer.py MODE PROGRAM ARGUMENT... starts the program, goes through the story, and prints what it saw as one JSON object.
MODE is the SDK's: `auto` speaks the newest revision, `legacy` begins with `initialize`.
"""

import asyncio
import json
import sys

from mcp import Client, StdioServerParameters
from mcp.types import ElicitResult

REASON = "the output hangs"


async def story(mode, server):
    seen = {"asked": []}
    answers = []

    async def person(context, params):
        seen["asked"].append(params.message)
        answer = answers.pop(0)
        if answer is None:
            return ElicitResult(action="decline")
        return ElicitResult(action="accept", content={"confirmation": answer})

    async def call(client, tool, **arguments):
        result = await client.call_tool(tool, arguments)
        return result.structured_content

    async def plan(client):
        found = await call(client, "plan_command", q="name:a", command="restart")
        return {"plan_id": found["plan_id"], "plan_hash": found["plan_hash"], "reason": REASON}, found

    async with Client(server, mode=mode, elicitation_callback=person) as client:
        seen["revision"] = client.protocol_version
        seen["tools"] = [tool.name for tool in (await client.list_tools()).tools]
        seen["summary"] = await call(client, "fleet_summary")
        seen["agents"] = await call(client, "list_agents")
        for answer in (None, "yes"):
            answers.append(answer)
            ask, _ = await plan(client)
            seen.setdefault("refused", []).append(await call(client, "execute_plan", **ask))
        ask, found = await plan(client)
        seen["plan"] = found
        answers.append(found["confirmation"])
        seen["done"] = await call(client, "execute_plan", **ask)
        for _ in range(200):
            seen["came_of_it"] = await call(
                client, "list_commands", operation_id=seen["done"]["operation_id"]
            )
            if seen["came_of_it"]["under_way"] == 0:
                break
            await asyncio.sleep(0.1)
    async with Client(server, mode=mode) as client:
        ask, _ = await plan(client)
        seen["mute"] = await call(client, "execute_plan", **ask)
    return seen


def main():
    mode, program, *arguments = sys.argv[1:]
    server = StdioServerParameters(command=program, args=arguments)
    print(json.dumps(asyncio.run(story(mode, server))))


main()
