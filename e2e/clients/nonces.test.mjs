// An issuer whose authorization server demands DPoP nonces too (RFC 9449,
// Section 8), with oauth4webapi.
import assert from 'node:assert/strict'
import test from 'node:test'
import * as oauth from 'oauth4webapi'
import { declare, fetchFrom, issuer, newKey } from '../lib/bank.mjs'

test('a proof without the nonce of the server is refused with one to use', async () => {
  const { key, jwks } = await newKey()
  const url = new URL('/nonces', issuer)
  declare({
    issuers: [{ id: 'nonces', url: url.href, profile: 'fapi2-security-profile-final', settings: { dpop_nonce: 'all' }, keys: { algorithms: ['ES256'] } }],
    clients: [{
      client_id: 'patient', issuer: 'nonces',
      metadata: { token_endpoint_auth_method: 'private_key_jwt', grant_types: ['client_credentials'], dpop_bound_access_tokens: true, scope: 'accounts', jwks },
    }],
  })
  const options = { [oauth.customFetch]: fetchFrom() }
  const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, options))
  const client = { client_id: 'patient' }
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
  const ask = async () => {
    const request = oauth.clientCredentialsGrantRequest(server, client, oauth.PrivateKeyJwt(key), {}, { DPoP, ...options })
    return oauth.processClientCredentialsResponse(server, client, await request)
  }
  await assert.rejects(ask, oauth.isDPoPNonceError)
  assert.equal((await ask()).token_type, 'dpop')
  assert.equal((await ask()).token_type, 'dpop', 'a nonce is good for more than one proof')
})
