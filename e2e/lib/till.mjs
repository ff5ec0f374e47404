// The sample clients of the development server that ask customers on their
// phones (CIBA), and where these clients are called.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { fetchFrom } from './bank.mjs'

const { E2E_PORT, E2E_MTLS_PORT, E2E_FOLDER, E2E_NOTIFY_PORT } = process.env

export const ciba = new URL(`https://localhost:${E2E_PORT}/ciba`)
export const fapiCIBA = new URL(`https://localhost:${E2E_PORT}/fapi-ciba`)
export const cibaResource = `https://localhost:${E2E_PORT}/bank-ciba`
export const fapiCIBAResource = `https://localhost:${E2E_MTLS_PORT}/bank-fapi-ciba`

const kept = (name) => readFileSync(join(E2E_FOLDER, name), 'utf8')

/** A till, with its key to authenticate and to sign requests, and its certificate if it has one. */
export async function till(clientID, mutual = false) {
  const { kid, alg, use, ...jwk } = JSON.parse(kept(`${clientID}.jwk.json`))
  const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
  const certificate = mutual ? { cert: kept(`${clientID}-tls.pem`), key: kept(`${clientID}-tls.key`) } : undefined
  return { clientID, key: { key, kid }, certificate }
}

/** Answers a request in place of its customer, as test tools do. */
export async function decide(issuer, authReqID, action) {
  const url = new URL(`${issuer.href}/backchannel/decide`)
  url.search = new URLSearchParams({ auth_req_id: authReqID, action })
  const { status } = await fetchFrom()(url, { method: 'POST' })
  if (status !== 204) throw new Error(`the decision was answered with ${status}`)
}

/** Listens where a client is called, and returns a promise of the first call and a way to end. */
export async function listen(clientID) {
  let heard
  const call = new Promise((resolve) => { heard = resolve })
  const server = createServer({ cert: kept('notify.pem'), key: kept('notify.key') }, async (request, response) => {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    response.writeHead(204).end()
    if (request.url === `/${clientID}/notifications`) {
      heard({ headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) })
    }
  })
  await new Promise((resolve) => server.listen(Number(E2E_NOTIFY_PORT), '127.0.0.1', resolve))
  return { call, end: () => { server.closeAllConnections(); return new Promise((resolve) => server.close(resolve)) } }
}
