// Customers are asked on their phones, with oauth4webapi, step by step: a poll
// too early, one too fast, and one of somebody else; and a ping.
import assert from 'node:assert/strict'
import test from 'node:test'
import * as oauth from 'oauth4webapi'
import { alice, fetchFrom } from '../lib/bank.mjs'
import { ciba, cibaResource, decide, listen, till } from '../lib/till.mjs'

const options = { [oauth.customFetch]: fetchFrom() }
const asking = { scope: 'openid accounts', login_hint: alice.user, binding_message: 'Till 5, receipt 8' }

async function opened(clientID) {
  const { key } = await till(clientID)
  const server = await oauth.processDiscoveryResponse(ciba, await oauth.discoveryRequest(ciba, options))
  const client = { client_id: clientID }
  return { server, client, auth: oauth.PrivateKeyJwt(key), DPoP: oauth.DPoP(client, await oauth.generateKeyPair('ES256')) }
}

async function ask({ server, client, auth }, more = {}) {
  const response = await oauth.backchannelAuthenticationRequest(server, client, auth, { ...asking, ...more }, options)
  return oauth.processBackchannelAuthenticationResponse(server, client, response)
}

async function redeem({ server, client, auth, DPoP }, id) {
  const response = await oauth.backchannelAuthenticationGrantRequest(server, client, auth, id, { DPoP, ...options })
  return oauth.processBackchannelAuthenticationGrantResponse(server, client, response)
}

test('what a client that polls is told, until the customer approves', async () => {
  const own = await opened('payzip-poll')
  const { auth_req_id: id } = await ask(own)
  await assert.rejects(redeem(own, id), { error: 'authorization_pending' })
  await assert.rejects(redeem(own, id), { error: 'slow_down' })
  await assert.rejects(redeem(await opened('payzip-ping'), id), { error: 'invalid_grant' })
  await decide(ciba, id, 'allow')
  const tokens = await redeem(own, id)
  assert.equal(oauth.getValidatedIdTokenClaims(tokens).aud, 'payzip-poll')
  await assert.rejects(redeem(own, id), { error: 'invalid_grant' })

  const accounts = () => oauth.protectedResourceRequest(
    tokens.access_token, 'GET', new URL(`${cibaResource}/accounts`), undefined, null, { DPoP: own.DPoP, ...options })
  const answer = await accounts().catch((refusal) => {
    if (!oauth.isDPoPNonceError(refusal)) throw refusal
    return accounts()
  })
  assert.deepEqual((await answer.json()).accounts.map((a) => a.account_id), alice.accounts)
})

test('a client that is pinged learns only which request has an answer', async () => {
  const own = await opened('payzip-ping')
  const endpoint = await listen('payzip-ping')
  try {
    const token = oauth.generateRandomState()
    const { auth_req_id: id } = await ask(own, { client_notification_token: token })
    await decide(ciba, id, 'deny')
    const { headers, body } = await endpoint.call
    assert.equal(headers.authorization, `Bearer ${token}`)
    assert.deepEqual(body, { auth_req_id: id })
    await assert.rejects(redeem(own, id), { error: 'access_denied' })
  } finally {
    await endpoint.end()
  }
})

test('whom nobody knows, and a token that is too long, are refused', async () => {
  await assert.rejects(ask(await opened('payzip-poll'), { login_hint: 'nobody' }), { error: 'unknown_user_id' })
  const pinged = await opened('payzip-ping')
  await assert.rejects(ask(pinged, { client_notification_token: 'x'.repeat(1025) }), { error: 'invalid_request' })
  await assert.rejects(ask(pinged), { error: 'invalid_request' })
})
