// The tour: each button sends the request that it describes, and shows what went out, what came back and what was logged.
"use strict";

const WAIT_FOR_LINE_MS = 30000;

const trusted = window.trustedTypes?.createPolicy("tour", {createScript: text => text}) ?? {createScript: text => text};

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const pause = ms => new Promise(done => setTimeout(done, ms));

/** The request, by this browser: what was asked for, status, headers, body. */
async function fromHere(what) {
  const leaving = new AbortController();
  const headers = {...what.headers};
  const options = {method: what.method, headers, cache: "no-store", signal: leaving.signal};
  if (what.body) {
    headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(what.body);
  }
  const response = await fetch(what.path, options);
  let body;
  if (what.sender === "abort") {
    const {value} = await response.body.getReader().read();
    leaving.abort();
    body = new TextDecoder().decode(value) + "… and left";
  } else {
    body = await response.text();
  }
  return {
    request: {method: what.method, path: what.path, headers, body: options.body},
    status: response.status, headers: [...response.headers], body,
  };
}

/** The request, by the server to itself: a page may not set Host or Origin, nor see Set-Cookie. */
async function fromThere(key, number) {
  const response = await fetch(`/tour/send/${key}/${number}`, {method: "POST", cache: "no-store"});
  if (!response.ok) throw new Error(`The server answered ${response.status}`);
  return response.json();
}

/** What the browser says to an inline script without the nonce. */
async function runInline() {
  const refused = new Promise(done => {
    addEventListener("securitypolicyviolation", event => done(event.effectiveDirective), {once: true});
    setTimeout(() => done(null), 1000);
  });
  const script = document.createElement("script");
  // Without this the browser would refuse even to fill it: the policy wants trusted types.
  script.text = trusted.createScript("document.documentElement.dataset.inline = 'ran'");
  document.body.append(script);
  const directive = await refused;
  script.remove();
  return directive && !("inline" in document.documentElement.dataset)
    ? `The browser refused the script: ${directive}` : "The script ran";
}

/** The line, as soon as the server has written it. */
async function logLine(requestId) {
  for (const end = performance.now() + WAIT_FOR_LINE_MS; performance.now() < end; await pause(150)) {
    const answer = await (await fetch(`/tour/log/${encodeURIComponent(requestId)}`, {cache: "no-store"})).json();
    if (answer.record || !answer.logged) return answer;
  }
  return {record: null, logged: true};
}

function lines(pairs, marked) {
  const names = new Set(marked.map(name => name.toLowerCase()));
  const block = element("pre", {tabindex: "0"});
  const isMarked = ([name]) => names.has(name.toLowerCase());
  for (const [name, value] of [...pairs.filter(isMarked), ...pairs.filter(pair => !isMarked(pair))]) {
    const text = `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`;
    block.append(names.has(name.toLowerCase()) ? element("mark", {}, text) : text, "\n");
  }
  return block;
}

function part(title, block) {
  return element("div", {class: "part"}, element("h4", {}, title), block);
}

function shortened(body) {
  return body.length > 600 ? `${body.slice(0, 600)}… (${body.length.toLocaleString("en")} characters)` : body;
}

async function show(result, what, sent, note) {
  const {request, status, headers, body} = sent;
  const asked = lines(Object.entries(request.headers), Object.keys(what.headers));
  asked.prepend(`${request.method} ${request.path}\n`);
  if (request.body) asked.append(`\n${request.body}`);
  const answered = element("div", {}, lines(headers, what.sets));
  if (body && (!what.path.endsWith("/") || status !== 200)) {
    answered.append(element("pre", {tabindex: "0", class: "body"}, shortened(body)));
  }
  const line = part("Log line", element("pre", {tabindex: "0"}, "…"));
  result.replaceChildren(
    element("p", {class: "look"}, note ?? what.look), part("Request", asked),
    part(`Response: ${status}`, answered), line,
  );
  const id = headers.find(([name]) => name.toLowerCase() === "x-request-id")?.[1];
  const {record, logged} = id && !what.path.startsWith("/_logs") ? await logLine(id) : {record: null, logged: true};
  line.lastChild.replaceWith(
    record ? lines(Object.entries(record), what.tells)
      : element("p", {}, logged ? "It is not in the log." : "It is on the server's standard output."));
}

async function send(button) {
  const stop = button.closest(".stop");
  const result = stop.querySelector(".result");
  const what = JSON.parse(button.dataset.try);
  const ring = document.querySelector(`[data-ring="${stop.dataset.key}"]`);
  button.setAttribute("aria-busy", "true");
  ring.classList.add("lit");
  try {
    const note = what.sender === "inline" ? await runInline() : undefined;
    const sent = what.sender === "server" ? await fromThere(stop.dataset.key, button.dataset.number) : await fromHere(what);
    await show(result, what, sent, note);
  } catch (error) {
    result.replaceChildren(element("p", {class: "failed", role: "alert"}, `No answer: ${error.message}`));
  } finally {
    button.removeAttribute("aria-busy");
    ring.classList.remove("lit");
  }
}

for (const button of document.querySelectorAll("button[data-try]")) {
  button.addEventListener("click", () => { if (!button.hasAttribute("aria-busy")) send(button); });
}
