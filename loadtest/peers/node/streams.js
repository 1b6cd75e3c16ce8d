// The Redis streams adapter, if there is a Redis.
import { createAdapter } from "@socket.io/redis-streams-adapter";
import { createClient } from "redis";

export async function adapterFor(url) {
  if (!url) return undefined;
  const client = createClient({ url });
  await client.connect();
  return createAdapter(client);
}
