/** Requests to the server that the page came from. */

const TRIES = 6;

/** What the server refused, in its words. */
export class Refused extends Error {
  /** @param {number} status @param {string} words */
  constructor(status, words) {
    super(words);
    this.status = status;
  }
}

/**
 * The address of an answer.
 * @param {string} path
 * @param {Object<string, any>} [query] what is undefined, null or "" is left out
 */
export function address(path, query = {}) {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = pairs.map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`).join("&");
  return `/api/${path}${text ? "?" + text : ""}`;
}

/**
 * Ask; where the server is busy, ask again after the time that it names.
 * @param {string} url
 * @param {RequestInit} [how]
 * @returns {Promise<Response>}
 */
export async function ask(url, how = {}) {
  for (let attempt = 1; ; attempt++) {
    let answer;
    try {
      answer = await fetch(url, how);
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      throw new Refused(0, "The explorer does not answer. Is it still running in its terminal?");
    }
    if (answer.ok) return answer;
    if (answer.status === 503 && attempt < TRIES) {
      const seconds = Number(answer.headers.get("Retry-After")) || 1;
      await new Promise((done) => setTimeout(done, seconds * 1000 * (0.5 + Math.random())));
      continue;
    }
    const told = await answer.json().catch(() => ({}));
    throw new Refused(answer.status, told.error || `the server said ${answer.status}`);
  }
}

/** JSON. @param {string} path @param {Object<string, any>} [query] @param {RequestInit} [how] @returns {Promise<any>} */
export async function json(path, query = {}, how = {}) {
  return (await ask(address(path, query), how)).json();
}

/** A picture. @param {string} path @param {Object<string, any>} [query] @param {RequestInit} [how] */
export async function bitmap(path, query = {}, how = {}) {
  return createImageBitmap(await (await ask(address(path, query), how)).blob());
}
