// The main job with openid-client over three servers that share a log. Each
// request opens a connection, and each connection goes to the next server.
import assert from 'node:assert/strict'
import test, { before } from 'node:test'
import * as client from 'openid-client'
import { alice, budgetly, declare, fetchFrom, issuer, publicKeys, resource } from '../lib/bank.mjs'
import { Customer } from '../lib/customer.mjs'
import { mainJob } from '../clients/main-job.mjs'

const redirectURI = 'https://budgetly.example/callback'

before(() => declare({
  issuers: [{
    id: 'fapi2',
    url: issuer.href,
    profile: 'fapi2-security-profile-final',
    settings: { accounts: true, resources: [resource], display_name: 'Northwind' },
    keys: { algorithms: ['ES256', 'PS256'] },
  }],
  clients: [{
    client_id: 'budgetly',
    issuer: 'fapi2',
    metadata: {
      client_name: 'Budgetly',
      redirect_uris: [redirectURI],
      token_endpoint_auth_method: 'private_key_jwt',
      grant_types: ['authorization_code', 'refresh_token'],
      scope: 'openid profile accounts offline_access',
      jwks: publicKeys('budgetly'),
      dpop_bound_access_tokens: true,
    },
  }, {
    client_id: 'samplebank-rs',
    issuer: 'fapi2',
    metadata: { client_name: 'Accounts API', token_endpoint_auth_method: 'private_key_jwt', jwks: publicKeys('samplebank-rs'), resources: [resource] },
  }],
  customers: [{
    id: 'a11ce000-0000-4000-8000-000000000001',
    issuer: 'fapi2',
    name: alice.name,
    login: { name: alice.user, password: alice.password },
    accounts: alice.accounts.map((id) => ({ id, name: `Account ${id}`, number: '•••• 0001', kind: 'CurrentAccount', currency: 'EUR' })),
  }],
}))

for (const round of [1, 2, 3]) { // so that each step meets each server
  test(`private_key_jwt and DPoP, round ${round}`, async () => {
    const { clientID, key } = await budgetly()
    const config = await client.discovery(issuer, clientID, {}, client.PrivateKeyJwt(key), { [client.customFetch]: fetchFrom() })
    const dpop = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
    await mainJob(config, { redirectURI, dpop, binding: 'DPoP' })
  })
}

test('a customer who stops sharing at one server has stopped it at all', async () => {
  const { clientID, key } = await budgetly()
  const config = await client.discovery(issuer, clientID, {}, client.PrivateKeyJwt(key), { [client.customFetch]: fetchFrom() })
  const dpop = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
  const verifier = client.randomPKCECodeVerifier()
  const checks = { pkceCodeVerifier: verifier, expectedState: client.randomState(), expectedNonce: client.randomNonce() }
  const url = await client.buildAuthorizationUrlWithPAR(config, {
    redirect_uri: redirectURI,
    scope: 'openid profile accounts offline_access',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
  }, { DPoP: dpop })
  const customer = new Customer(alice)
  const tokens = await client.authorizationCodeGrant(config, await customer.approve(url), checks, undefined, { DPoP: dpop })
  await customer.stop()
  for (let request = 0; request < 6; request++) {
    await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP: dpop }), { error: 'invalid_grant' })
  }
})
