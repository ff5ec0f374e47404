// Clients that register themselves (RFC 7591) for the combinations that the
// development server has no client for, and manage their registration
// (RFC 7592).
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import test from 'node:test'
import * as client from 'openid-client'
import { fetchFrom, initialAccessToken, issuer, mtlsResource, newKey, resource, selfSigned } from '../lib/bank.mjs'
import { mainJob } from './main-job.mjs'

const redirectURI = 'https://client.example/callback'
const grants = { redirect_uris: [redirectURI], grant_types: ['authorization_code', 'refresh_token'], scope: 'openid profile accounts offline_access' }

test('private_key_jwt and tokens bound to a certificate', async () => {
  const { key, jwks } = await newKey({ name: 'Ed25519' })
  const config = await registered({
    client_name: 'Tally',
    token_endpoint_auth_method: 'private_key_jwt',
    tls_client_certificate_bound_access_tokens: true,
    use_mtls_endpoint_aliases: true,
    jwks,
  }, client.PrivateKeyJwt(key), fetchFrom(selfSigned('tally')))
  await mainJob(config, { redirectURI, accounts: new URL(`${mtlsResource}/accounts`), binding: 'Bearer' })
})

test('self_signed_tls_client_auth and DPoP', async () => {
  const certificate = selfSigned('abacus')
  const config = await registered({
    client_name: 'Abacus',
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    dpop_bound_access_tokens: true,
    use_mtls_endpoint_aliases: true,
    jwks: { keys: [certified(certificate)] },
  }, client.TlsClientAuth(), fetchFrom(certificate))
  const dpop = client.getDPoPHandle(config, await client.randomDPoPKeyPair('Ed25519'))
  await mainJob(config, { redirectURI, accounts: new URL(`${resource}/accounts`), dpop, binding: 'DPoP' })
})

test('self_signed_tls_client_auth and tokens bound to the certificate', async () => {
  const certificate = selfSigned('ledger')
  const config = await registered({
    client_name: 'Ledger',
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    tls_client_certificate_bound_access_tokens: true,
    use_mtls_endpoint_aliases: true,
    jwks: { keys: [certified(certificate)] },
  }, client.TlsClientAuth(), fetchFrom(certificate))
  await mainJob(config, { redirectURI, accounts: new URL(`${mtlsResource}/accounts`), binding: 'Bearer' })
})

test('a registration can be read, replaced and ended by its own token only', async () => {
  const { key, jwks } = await newKey({ name: 'RSA-PSS', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) })
  const config = await registered({
    client_name: 'Sum', token_endpoint_auth_method: 'private_key_jwt', dpop_bound_access_tokens: true,
    grant_types: ['client_credentials'], redirect_uris: undefined, scope: 'accounts', jwks,
  }, client.PrivateKeyJwt(key), fetchFrom())
  const { registration_client_uri: uri, registration_access_token: token, client_id } = config.clientMetadata()
  const proof = { DPoP: client.getDPoPHandle(config, await client.randomDPoPKeyPair('PS256')) }
  await client.clientCredentialsGrant(config, undefined, proof)

  const known = await managed('GET', uri, token)
  assert.equal(known.client_name, 'Sum')
  const { registration_access_token, registration_client_uri, client_id_issued_at, ...metadata } = known
  const changed = await managed('PUT', uri, registration_access_token, { ...metadata, client_name: 'Sum total' })
  assert.equal(changed.client_name, 'Sum total')
  assert.equal(changed.client_id, client_id)

  assert.equal((await manage('GET', uri, 'somebody-elses')).status, 401)
  assert.equal((await manage('DELETE', uri, changed.registration_access_token)).status, 204)
  assert.equal((await manage('GET', uri, changed.registration_access_token)).status, 401)
  await assert.rejects(client.clientCredentialsGrant(config, undefined, proof), { error: 'invalid_client' })
})

test('nobody registers without an initial access token', async () => {
  const metadata = { ...grants, token_endpoint_auth_method: 'private_key_jwt' }
  await assert.rejects(client.dynamicClientRegistration(issuer, metadata, undefined, { [client.customFetch]: fetchFrom() }),
    { code: 'OAUTH_WWW_AUTHENTICATE_CHALLENGE' })
})

function registered(metadata, authentication, fetch) {
  const options = { initialAccessToken: initialAccessToken(), [client.customFetch]: fetch }
  return client.dynamicClientRegistration(issuer, { ...grants, ...metadata }, authentication, options)
}

function manage(method, uri, token, metadata) {
  const headers = { authorization: `Bearer ${token}` }
  if (metadata) headers['content-type'] = 'application/json'
  return fetchFrom()(uri, { method, headers, body: metadata && JSON.stringify(metadata) })
}

async function managed(...request) {
  const response = await manage(...request)
  const body = await response.text()
  assert.equal(response.status, 200, body)
  return JSON.parse(body)
}

/** The key of a self-signed certificate with the certificate itself (RFC 8705, Section 2.2.2). */
function certified({ cert }) {
  const x509 = new X509Certificate(cert)
  return { ...x509.publicKey.export({ format: 'jwk' }), kid: 'c1', use: 'sig', x5c: [x509.raw.toString('base64')] }
}
