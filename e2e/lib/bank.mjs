// The development server under test: its addresses, its customers, and the
// keys that it leaves in its data folder for programs that play third parties.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as client from 'openid-client'
import { Agent, fetch } from 'undici'

const { E2E_PORT, E2E_MTLS_PORT, E2E_FOLDER, E2E_SCRATCH, E2E_PROGRAM, E2E_NODES } = process.env

// Where several servers share the port, a connection serves one request, so that the next one meets the next server.
const connections = E2E_NODES ? { pipelining: 0 } : {}

export const issuer = new URL(`https://localhost:${E2E_PORT}/fapi2`)
export const resource = `https://localhost:${E2E_PORT}/bank`
export const mtlsResource = `https://localhost:${E2E_MTLS_PORT}/bank`

export const alice = { user: 'alice', password: 'alicealice', name: 'Alice Marsh', accounts: ['nw-100101', 'nw-100102', 'nw-100201'] }
export const ben = { user: 'ben', password: 'benbenben' }
export const chidi = { user: 'chidi', password: 'chidichidi' }

const kept = (name) => readFileSync(join(E2E_FOLDER, name), 'utf8')

/** Budgetly: private_key_jwt and DPoP. */
export const budgetly = () => signing('budgetly', 'https://budgetly.example/callback')

/** Payzip: tls_client_auth and tokens bound to its certificate. */
export function payzip() {
  const certificate = { cert: kept('payzip.pem'), key: kept('payzip.key') }
  return { clientID: 'payzip', certificate, redirectURI: 'https://payzip.example/callback' }
}

/** The accounts API, as a caller of the introspection endpoint. */
export async function bankConfiguration() {
  const { clientID, key } = await signing('samplebank-rs')
  return client.discovery(issuer, clientID, {}, client.PrivateKeyJwt(key), { [client.customFetch]: fetchFrom() })
}

async function signing(clientID, redirectURI) {
  const { kid, alg, use, ...jwk } = JSON.parse(kept(`${clientID}.jwk.json`))
  const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
  return { clientID, key: { key, kid }, redirectURI }
}

/** The JWK set that a client of the folder registers. */
export function publicKeys(clientID) {
  const { d, ...jwk } = JSON.parse(kept(`${clientID}.jwk.json`))
  return { keys: [jwk] }
}

/** A new key, to sign with, and as the JWK set that a client registers. */
export async function newKey(algorithm = { name: 'ECDSA', namedCurve: 'P-256' }) {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const { ext, key_ops, ...jwk } = await crypto.subtle.exportKey('jwk', publicKey)
  return { key: { key: privateKey, kid: 'k1' }, jwks: { keys: [{ ...jwk, kid: 'k1', use: 'sig' }] } }
}

/** A fetch that trusts the server's own authority, and shows a certificate if it is given one. */
export function fetchFrom(certificate = {}) {
  const dispatcher = new Agent({ ...connections, connect: { ca: kept('ca.pem'), ...certificate } })
  return (url, options) => fetch(url, { ...options, dispatcher })
}

/** A self-signed certificate that was made for this run. */
export function selfSigned(name) {
  const read = (ending) => readFileSync(join(E2E_SCRATCH, name + ending), 'utf8')
  return { cert: read('.pem'), key: read('.key') }
}

/** Runs a command of the operator, and returns the ids that it printed. */
export const operate = (...command) => printed(...command, '--quiet')

/** Runs a command of the operator, and returns all that it printed. */
export function printed(...command) {
  return execFileSync(E2E_PROGRAM, [...command, '--data', E2E_FOLDER], { encoding: 'utf8' }).trim()
}

/** A token that opens the registration endpoint, as the operator hands it out. */
export const initialAccessToken = () => operate('registration', 'token', 'fapi2')

/** Makes issuers and clients as a document declares them. */
export function declare(document) {
  const file = join(E2E_SCRATCH, 'declared.yaml')
  writeFileSync(file, JSON.stringify(document)) // JSON is YAML
  operate('apply', '-f', file)
}
