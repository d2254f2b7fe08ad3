# SPDX-License-Identifier: Apache-2.0
# needs: python3
python3 -c '
import asyncio
async def handle(r, w):
    w.write((await r.readline()).upper()); await w.drain(); w.close()
async def main():
    s = await asyncio.start_server(handle, "127.0.0.1", 0); port = s.sockets[0].getsockname()[1]
    async def ask(i):
        r, w = await asyncio.open_connection("127.0.0.1", port); w.write(f"msg {i}\n".encode()); return await r.readline()
    print(await asyncio.gather(*[ask(i) for i in range(10)]))
    p = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1); print(await p.communicate(b"through cat"))
    await asyncio.wait_for(asyncio.sleep(0.01), 1); s.close()
asyncio.run(main())
'
