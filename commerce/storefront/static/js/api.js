/** Talk to the shop's REST interface. */

/** What the shop refused, as it said so itself (RFC 9457). */
export class ProblemError extends Error {
  /** @param {number} status @param {Record<string, any>} problem */
  constructor(status, problem) {
    super(problem.detail ?? problem.title ?? "The shop did not answer.");
    this.name = "ProblemError";
    this.status = status;
    this.code = problem.code ?? "unknown";
    this.problem = problem;
  }
}

/**
 * Ask for something; throws ProblemError for a refusal and TypeError when nobody answers.
 * @param {"GET" | "POST" | "PUT" | "PATCH" | "DELETE"} method
 * @param {string} path
 * @param {object} [body]
 * @param {{ key?: string }} [options] `key` makes a repeated request one
 */
export async function ask(method, path, body, { key } = {}) {
  const answer = await fetch(path, {
    method,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(key === undefined ? {} : { "idempotency-key": key }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
    credentials: "same-origin",
  });
  const text = await answer.text();
  if (!answer.ok) throw new ProblemError(answer.status, parsed(text));
  return text === "" ? null : JSON.parse(text);
}

/** What to tell people when something failed. @param {unknown} error */
export function sentence(error) {
  if (error instanceof TypeError) return "The shop cannot be reached. Check your connection.";
  return error instanceof Error ? error.message : "Something went wrong.";
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
