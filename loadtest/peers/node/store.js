// Postgres, if there is one: an insert a message, over a pool, as node-postgres advises.
import pg from "pg";

const TABLE = `create table if not exists bench_messages (
  id bigint generated always as identity primary key, room text not null, author text not null,
  body text not null, sent_at timestamptz not null default now())`;

export async function openStore(url) {
  if (!url) return undefined;
  const pool = new pg.Pool({ connectionString: url, max: 10 });
  await pool.query(TABLE);
  return async (message, author) => {
    const told = await pool.query({
      name: "store",
      text: "insert into bench_messages (room, author, body) values ($1, $2, $3) returning id",
      values: [message.room, author, message.text],
    });
    return told.rows[0].id;
  };
}
