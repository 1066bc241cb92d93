// Logging in at the issuer: OpenID Connect, authorization code with PKCE (RFC 7636). The token stays in this module's
// memory; what must survive the way to the issuer and back waits in the tab's session storage and is used once.

const waiting = "yundian-login";
let token = "";
let idToken = "";

export const authorization = () => (token ? { Authorization: "Bearer " + token } : {});

// forget ends the login here, and at the issuer where it says how (OpenID Connect RP-Initiated Logout; Cognito names
// the way back logout_uri). It reports whether the page is being left for that.
export async function forget(config) {
  const hint = idToken;
  token = idToken = "";
  const { end_session_endpoint } = await discover(config).catch(() => ({}));
  if (!end_session_endpoint) return false;
  const to = new URL(end_session_endpoint);
  const parameters = { id_token_hint: hint, client_id: config.clientId, post_logout_redirect_uri: address(), logout_uri: address() };
  for (const [name, value] of Object.entries(parameters)) to.searchParams.set(name, value);
  location.assign(to);
  return true;
}

const address = () => location.origin + "/portal";

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

async function discover(config) {
  const answer = await fetch(config.issuer + "/.well-known/openid-configuration");
  if (!answer.ok) throw new Error("login_unreachable");
  const found = await answer.json();
  if (found.issuer !== config.issuer) throw new Error("login_failed");
  return found;
}

// begin leaves for the issuer. The invitation comes back with the login.
export async function begin(config, invite) {
  const { authorization_endpoint } = await discover(config);
  const way = { state: random(), nonce: random(), verifier: random(), invite: invite || "" };
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(way.verifier));
  sessionStorage.setItem(waiting, JSON.stringify(way));
  const to = new URL(authorization_endpoint);
  const parameters = {
    response_type: "code",
    client_id: config.clientId,
    redirect_uri: address(),
    scope: config.scope,
    state: way.state,
    nonce: way.nonce,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(parameters)) to.searchParams.set(name, value);
  location.assign(to);
}

// finish ends a login if this address is the way back from one. It returns the invitation that came along, or null
// when nobody has just logged in.
export async function finish(config) {
  const answer = new URLSearchParams(location.search);
  if (!answer.has("code") && !answer.has("error")) return null;
  const kept = sessionStorage.getItem(waiting);
  sessionStorage.removeItem(waiting);
  history.replaceState(null, "", "/portal" + location.hash); // the code is used up; a reload must not send it again
  const way = kept && JSON.parse(kept);
  if (!way || answer.get("state") !== way.state) throw new Error("login_stale");
  if (!answer.has("code")) throw new Error(answer.get("error") === "access_denied" ? "login_denied" : "login_failed");
  const { token_endpoint } = await discover(config);
  const exchange = await fetch(token_endpoint, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: config.clientId,
      code: answer.get("code"),
      redirect_uri: address(),
      code_verifier: way.verifier,
    }),
  });
  if (!exchange.ok) throw new Error("login_failed");
  const tokens = await exchange.json();
  check(tokens.id_token, config, way.nonce);
  token = tokens.access_token;
  idToken = tokens.id_token;
  return way.invite;
}

// check makes sure that the ID token answers this login. It came straight from the issuer, so its signature needs no
// second check (OpenID Connect Core, section 3.1.3.7).
function check(given, config, nonce) {
  let claims;
  try {
    claims = JSON.parse(atob(given.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
  } catch {
    throw new Error("login_failed");
  }
  const audience = [claims.aud].flat();
  if (claims.nonce !== nonce || claims.iss !== config.issuer || !audience.includes(config.clientId)) throw new Error("login_failed");
}
