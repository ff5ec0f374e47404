// Customers are asked on their phones, with openid-client.
import assert from 'node:assert/strict'
import test from 'node:test'
import { SignJWT } from 'jose'
import * as client from 'openid-client'
import { alice, fetchFrom } from '../lib/bank.mjs'
import { ciba, cibaResource, decide, fapiCIBA, fapiCIBAResource, listen, till } from '../lib/till.mjs'

const asking = { scope: 'openid accounts', login_hint: alice.user, binding_message: 'Till 4, receipt 117' }

async function readsAccounts(config, tokens, accounts, options) {
  const answer = await client.fetchProtectedResource(config, tokens.access_token, new URL(accounts), 'GET', null, undefined, options)
  assert.equal(answer.status, 200)
  assert.deepEqual((await answer.json()).accounts.map((a) => a.account_id), alice.accounts)
}

test('poll, with private_key_jwt and DPoP', async () => {
  const { clientID, key } = await till('payzip-poll')
  const config = await client.discovery(ciba, clientID, {}, client.PrivateKeyJwt(key), { [client.customFetch]: fetchFrom() })
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
  const asked = await client.initiateBackchannelAuthentication(config, asking)
  assert.ok(asked.expires_in > 0 && asked.interval > 0)
  const waiting = client.pollBackchannelAuthenticationGrant(config, asked, undefined, { DPoP })
  await decide(ciba, asked.auth_req_id, 'allow')
  const tokens = await waiting
  assert.equal(tokens.claims().aud, clientID)
  await readsAccounts(config, tokens, `${cibaResource}/accounts`, { DPoP })
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP })
  await readsAccounts(config, refreshed, `${cibaResource}/accounts`, { DPoP })
})

test('poll, refused by the customer', async () => {
  const { clientID, key } = await till('payzip-poll')
  const config = await client.discovery(ciba, clientID, {}, client.PrivateKeyJwt(key), { [client.customFetch]: fetchFrom() })
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
  const asked = await client.initiateBackchannelAuthentication(config, asking)
  await decide(ciba, asked.auth_req_id, 'deny')
  await assert.rejects(client.pollBackchannelAuthenticationGrant(config, asked, undefined, { DPoP }), { error: 'access_denied' })
})

test('ping', async () => {
  const { clientID, key } = await till('payzip-ping')
  const config = await client.discovery(ciba, clientID, {}, client.PrivateKeyJwt(key), { [client.customFetch]: fetchFrom() })
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
  const endpoint = await listen(clientID)
  try {
    const token = client.randomState()
    const asked = await client.initiateBackchannelAuthentication(config, { ...asking, client_notification_token: token })
    await decide(ciba, asked.auth_req_id, 'allow')
    const { headers, body } = await endpoint.call
    assert.equal(headers.authorization, `Bearer ${token}`)
    assert.deepEqual(body, { auth_req_id: asked.auth_req_id })
    const tokens = await client.pollBackchannelAuthenticationGrant(config, asked, undefined, { DPoP })
    await readsAccounts(config, tokens, `${cibaResource}/accounts`, { DPoP })
  } finally {
    await endpoint.end()
  }
})

test('a signed request, and tokens bound to a certificate, as FAPI has it', async () => {
  const { clientID, key, certificate } = await till('payzip-fapi-poll', true)
  const metadata = { use_mtls_endpoint_aliases: true, tls_client_certificate_bound_access_tokens: true }
  const config = await client.discovery(fapiCIBA, clientID, metadata, client.PrivateKeyJwt(key), { [client.customFetch]: fetchFrom(certificate) })
  const signed = await new SignJWT(asking).setProtectedHeader({ alg: 'ES256', kid: key.kid })
    .setIssuer(clientID).setAudience(config.serverMetadata().issuer).setJti(client.randomState())
    .setIssuedAt().setNotBefore('0s').setExpirationTime('5m').sign(key.key)
  const asked = await client.initiateBackchannelAuthentication(config, { request: signed })
  await decide(fapiCIBA, asked.auth_req_id, 'allow')
  const tokens = await client.pollBackchannelAuthenticationGrant(config, asked)
  assert.equal(tokens.claims().aud, clientID)
  await readsAccounts(config, tokens, `${fapiCIBAResource}/accounts`)
  await assert.rejects(client.initiateBackchannelAuthentication(config, { request: signed }), { error: 'invalid_request' })
})
