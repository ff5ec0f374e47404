// Asks the browser for a passkey where a page has a use for one. The page works
// without this.
"use strict";
(() => {
  if (!window.PublicKeyCredential || !navigator.credentials) return;
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const ids = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  async function create(options) {
    const made = await navigator.credentials.create({ publicKey: {
      ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: ids(options.excludeCredentials),
    } });
    return written(made, {
      attestationObject: text(made.response.attestationObject),
      transports: made.response.getTransports ? made.response.getTransports() : [],
    });
  }

  async function get(options) {
    const signed = await navigator.credentials.get({ publicKey: {
      ...options, challenge: bytes(options.challenge), allowCredentials: ids(options.allowCredentials),
    } });
    const response = { authenticatorData: text(signed.response.authenticatorData), signature: text(signed.response.signature) };
    if (signed.response.userHandle) response.userHandle = text(signed.response.userHandle);
    return written(signed, response);
  }

  const written = (credential, response) => JSON.stringify({
    id: credential.id, rawId: text(credential.rawId), type: credential.type,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: { clientDataJSON: text(credential.response.clientDataJSON), ...response },
  });

  // run lets the authenticator do its part and sends the form.
  async function run(place, form, ceremony, decision) {
    const said = place.querySelector("[role=status]");
    said.textContent = "";
    try {
      form.elements.passkey.value = await ceremony(JSON.parse(place.dataset.options));
    } catch (e) {
      said.textContent = e.name === "InvalidStateError"
        ? "This device has a passkey for you already."
        : "No passkey was used. Try again" + (decision ? ", or use your password." : ".");
      return;
    }
    if (decision) {
      const field = document.createElement("input");
      field.type = "hidden";
      field.name = "decision";
      field.value = decision;
      form.append(field);
    }
    form.submit();
  }

  const adding = document.querySelector("form[data-passkey=create]");
  if (adding) adding.addEventListener("submit", (e) => {
    e.preventDefault();
    run(adding, adding, create, "");
  });
  const approving = document.querySelector("[data-passkey=get]");
  if (approving) {
    approving.hidden = false;
    approving.querySelector("button").addEventListener("click", () => run(approving, approving.closest("form"), get, "approve"));
  }
})();
