"""What an assistant does with the tools of `rag serve --mcp`: pip install 'rag[mcp]'."""

import asyncio

from mcp import Client, StdioServerParameters

server = StdioServerParameters(command="rag", args=["serve", "--mcp", "--store", "index"])


async def main() -> None:
    """List the tools, ask, and print each citation."""
    async with Client(server) as client:
        print(", ".join(sorted(tool.name for tool in (await client.list_tools()).tools)))
        result = await client.call_tool("ask", {"question": "How many civilians live in Idlib?"})
        for citation in result.structured_content["citations"]:
            print(citation["number"], citation["title"], citation["quote"])


asyncio.run(main())
