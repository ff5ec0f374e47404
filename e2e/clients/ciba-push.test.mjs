// Tokens are pushed to an endpoint in another language, which checks all that
// CIBA, Section 10.3.1 has a client check.
import assert from 'node:assert/strict'
import test from 'node:test'
import { SignJWT, exportJWK } from 'jose'
import * as oauth from 'oauth4webapi'
import { Agent, fetch } from 'undici'
import { alice, fetchFrom } from '../lib/bank.mjs'
import { path, receive } from '../lib/receiver.mjs'
import { ciba, cibaResource, decide, listen, till } from '../lib/till.mjs'

const options = { [oauth.customFetch]: fetchFrom() }
const { clientID, key } = await till('payzip-push')
const server = await oauth.processDiscoveryResponse(ciba, await oauth.discoveryRequest(ciba, options))
const client = { client_id: clientID }
const bound = await oauth.generateKeyPair('ES256')

/** Asks a customer, with a signed request and the key to which the tokens will be bound. Returns what to expect. */
async function ask() {
  const token = oauth.generateRandomState()
  const asking = { scope: 'openid accounts', login_hint: alice.user, binding_message: 'Till 6, receipt 9', client_notification_token: token }
  const request = await new SignJWT(asking).setProtectedHeader({ alg: 'ES256', kid: key.kid })
    .setIssuer(clientID).setAudience(server.issuer).setJti(oauth.generateRandomState())
    .setIssuedAt().setNotBefore('0s').setExpirationTime('5m').sign(key.key)
  const proof = await new SignJWT({ htm: 'POST', htu: server.backchannel_authentication_endpoint })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(bound.publicKey) })
    .setJti(oauth.generateRandomState()).setIssuedAt().sign(bound.privateKey)
  const response = await oauth.backchannelAuthenticationRequest(
    server, client, oauth.PrivateKeyJwt(key), { request }, { headers: { dpop: proof }, ...options })
  const { auth_req_id } = await oauth.processBackchannelAuthenticationResponse(server, client, response)
  return { auth_req_id, client_notification_token: token, issuer: server.issuer, client_id: clientID }
}

/** Declares a test that is given the endpoint. */
const received = (title, run) => test(title, async () => {
  const receiver = receive()
  try {
    await run(receiver)
  } finally {
    await receiver.end()
  }
})

received('the tokens of a yes are what they say they are', async (receiver) => {
  const asked = await ask()
  await receiver.expect(asked)
  await decide(ciba, asked.auth_req_id, 'allow')
  const { sha256, ...heard } = await receiver.heard()
  assert.deepEqual(heard, { status: 204, said: 'tokens' })
  const collected = oauth.backchannelAuthenticationGrantRequest(
    server, client, oauth.PrivateKeyJwt(key), asked.auth_req_id, { DPoP: oauth.DPoP(client, bound), ...options })
  await assert.rejects(
    oauth.processBackchannelAuthenticationGrantResponse(server, client, await collected), { error: 'unauthorized_client' })
})

received('a no is pushed, too', async (receiver) => {
  const asked = await ask()
  await receiver.expect(asked)
  await decide(ciba, asked.auth_req_id, 'deny')
  const { sha256, ...heard } = await receiver.heard()
  assert.deepEqual(heard, { status: 204, said: 'access_denied' })
})

for (const action of ['allow', 'deny']) {
  received(`who could not take the answer gets the same bytes again, after ${action}`, async (receiver) => {
    const asked = await ask()
    await receiver.expect({ ...asked, unavailable: 2 })
    await decide(ciba, asked.auth_req_id, action)
    const heard = [await receiver.heard(), await receiver.heard(), await receiver.heard()]
    assert.deepEqual(heard.map((h) => h.status), [500, 500, 204])
    assert.equal(new Set(heard.map((h) => h.sha256)).size, 1)
  })
}

const elsewhere = new URL('/fapi-ciba', ciba).href
for (const [title, expected, status, refused] of [
  ['a token that was not sent', { client_notification_token: 'another' }, 401, 'the token is not one that was sent'],
  ['a request that was not made', { auth_req_id: 'another' }, 400, 'auth_req_id is of another request'],
  ['another issuer', { issuer: elsewhere }, 400, 'iss is another issuer'],
  ['another client', { client_id: 'payzip-ping' }, 400, 'aud is another client'],
  ['an ID token that has expired', { later: 24 * 60 * 60 }, 400, 'exp has passed'],
]) {
  received(`what comes with ${title} is refused`, async (receiver) => {
    const asked = await ask()
    await receiver.expect({ ...asked, ...expected })
    await decide(ciba, asked.auth_req_id, 'allow')
    const { sha256, ...heard } = await receiver.heard()
    assert.deepEqual(heard, { status, refused })
  })
}

test('what somebody has changed on the way is refused, and what came opens the accounts', async (t) => {
  const asked = await ask()
  const { headers, body: genuine } = await overheard(asked)
  const receiver = receive()
  await receiver.expect(asked)
  const other = (text) => text.slice(0, 9) + (text[9] === 'A' ? 'B' : 'A') + text.slice(10)
  const [header, claims, signature] = genuine.id_token.split('.')
  const forged = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(claims, 'base64url')), sub: 'ben' })).toString('base64url')
  const tests = [
    ['nothing', {}, undefined],
    ['the access token', { access_token: other(genuine.access_token) }, 'at_hash is of another access token'],
    ['the refresh token', { refresh_token: other(genuine.refresh_token) }, 'rt_hash is of another refresh token'],
    ['the request', { auth_req_id: other(genuine.auth_req_id) }, 'auth_req_id is of another request'],
    ['the customer', { id_token: `${header}.${forged}.${signature}` }, "the signature is not the issuer's"],
    ['the signature', { id_token: `${header}.${claims}.${other(signature)}` }, "the signature is not the issuer's"],
    ['the type of token', { token_type: undefined }, 'token_type is missing'],
    ['yes into no', { error: 'access_denied' }, 'an error comes with tokens'],
  ]
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } })
  try {
    for (const [what, changed, refused] of tests) {
      await t.test(`with ${what} changed`, async () => {
        const body = JSON.stringify({ ...genuine, ...changed })
        const url = `https://127.0.0.1:${process.env.E2E_NOTIFY_PORT}${path}`
        const sent = { 'content-type': headers['content-type'], authorization: headers.authorization }
        const { status } = await fetch(url, { method: 'POST', headers: sent, body, dispatcher })
        const heard = await receiver.heard()
        assert.equal(heard.refused, refused)
        assert.deepEqual([status, heard.status], refused ? [400, 400] : [204, 204])
      })
    }
  } finally {
    await receiver.end()
  }
  const accounts = await reads(genuine.access_token)
  assert.deepEqual(accounts.map((a) => a.account_id), alice.accounts)
})

/** Has the customer say yes, and returns what is pushed. */
async function overheard({ auth_req_id }) {
  const endpoint = await listen(clientID)
  try {
    await decide(ciba, auth_req_id, 'allow')
    return await endpoint.call
  } finally {
    await endpoint.end()
  }
}

async function reads(token) {
  const DPoP = oauth.DPoP(client, bound)
  const request = () => oauth.protectedResourceRequest(
    token, 'GET', new URL(`${cibaResource}/accounts`), undefined, null, { DPoP, ...options })
  const answer = await request().catch((refusal) => {
    if (!oauth.isDPoPNonceError(refusal)) throw refusal
    return request()
  })
  return (await answer.json()).accounts
}
