// Who uses the page, and what they may do. The server decides; this only hides what it would refuse.

import { get, post, remove } from "./api.js";

const MAY = {
  viewer: ["view"],
  operator: ["view", "review", "find"],
  admin: ["view", "review", "find", "manage", "audit", "keys"],
  auditor: ["audit"],
};

class Session {
  constructor({ name, role, by_cookie: byCookie }) {
    this.name = name;
    this.role = role;
    this.isByCookie = byCookie;
  }

  may(what) {
    return this.role === "local" || (MAY[this.role] ?? []).includes(what);
  }
}

/** The session that there is; rejects with an `ApiError` of status 401 if there is none. */
export async function currentSession() {
  return new Session(await get("/api/session"));
}

/** Trades a key for a session, which scripts cannot read. */
export async function signIn(key) {
  return new Session(await post("/api/session", { key }));
}

export const signOut = () => remove("/api/session");
