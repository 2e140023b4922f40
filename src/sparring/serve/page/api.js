/** Requests to the server that the page came from. */

const MAX_ATTEMPTS = 6;

/** An error response of the server; status 0 if there was none. */
export class HttpError extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/**
 * The URL of a route.
 * @param {string} path
 * @param {Object<string, any>} [query] parameters; those that are undefined, null or "" are omitted
 */
export function url(path, query = {}) {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = pairs.map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`).join("&");
  return `/api/${path}${text ? "?" + text : ""}`;
}

/**
 * Send a request; while the server is busy, retry after the time that it names.
 * @param {string} target a URL
 * @param {RequestInit} [options]
 * @returns {Promise<Response>}
 */
export async function request(target, options = {}) {
  for (let attempt = 1; ; attempt++) {
    let response;
    try {
      response = await fetch(target, options);
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      throw new HttpError(0, "The explorer does not respond. Is it still running in its terminal?");
    }
    if (response.ok) return response;
    if (response.status === 503 && attempt < MAX_ATTEMPTS) {
      const seconds = Number(response.headers.get("Retry-After")) || 1;
      await new Promise((done) => setTimeout(done, seconds * 1000 * (0.5 + Math.random())));
      continue;
    }
    const body = await response.json().catch(() => ({}));
    throw new HttpError(response.status, body.error || `HTTP status ${response.status}`);
  }
}

/** The JSON of a route. @param {string} path @param {Object<string, any>} [query] @param {RequestInit} [options] @returns {Promise<any>} */
export async function json(path, query = {}, options = {}) {
  return (await request(url(path, query), options)).json();
}

/** The image of a route. @param {string} path @param {Object<string, any>} [query] @param {RequestInit} [options] */
export async function bitmap(path, query = {}, options = {}) {
  return createImageBitmap(await (await request(url(path, query), options)).blob());
}
