// Budgetly with oauth4webapi, step by step: RAR, iss, DPoP nonces, at+jwt.
import assert from 'node:assert/strict'
import test from 'node:test'
import * as oauth from 'oauth4webapi'
import { alice, budgetly, fetchFrom, issuer, resource } from '../lib/bank.mjs'
import { Customer } from '../lib/customer.mjs'

const options = { [oauth.customFetch]: fetchFrom() }

const asked = [{
  type: 'account_information',
  permissions: ['ReadAccounts', 'ReadBalances'],
  expires_at: new Date(Date.now() + 30 * 24 * 3600e3).toISOString(),
  purpose: 'To show where your money goes',
}]

test('a request for account information leads to a token that is good for just that', async () => {
  const server = await discovered()
  const { client, clientAuth, redirectURI } = await asClient()
  const dpop = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))

  const { callback, verifier, nonce } = await answered(server, client, clientAuth, redirectURI, dpop)
  const response = await oauth.authorizationCodeGrantRequest(
    server, client, clientAuth, callback, redirectURI, verifier, { DPoP: dpop, ...options })
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, { expectedNonce: nonce, requireIdToken: true })

  const [granted] = tokens.authorization_details
  assert.deepEqual(granted.permissions, asked[0].permissions)
  assert.deepEqual(granted.accounts, [alice.accounts[0]], 'the one account that Alice chose')

  const accounts = await nonceDemanded(tokens.access_token, `${resource}/accounts`, dpop)
  assert.deepEqual(accounts.accounts.map((a) => a.account_id), [alice.accounts[0]])
  assert.equal((await get(tokens.access_token, `${resource}/accounts/${alice.accounts[0]}/balances`, dpop)).status, 200)
  await assert.rejects(get(tokens.access_token, `${resource}/accounts/${alice.accounts[0]}/transactions`, dpop), insufficient)
  await assert.rejects(get(tokens.access_token, `${resource}/accounts/${alice.accounts[1]}/balances`, dpop), insufficient)

  const claims = await validated(server, tokens.access_token, dpop)
  assert.equal(claims.client_id, client.client_id)
  assert.deepEqual(claims.authorization_details, tokens.authorization_details)
})

test('a token bound to one key is refused with the proof of another', async () => {
  const server = await discovered()
  const { client, clientAuth } = await asClient()
  const dpop = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
  const token = await ownToken(server, client, clientAuth, dpop)
  assert.equal((await nonceDemanded(token, `${resource}/status`, dpop)).status, 'open')

  const thief = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
  await assert.rejects(nonceDemanded(token, `${resource}/status`, thief), refused('invalid_token'))
})

test('a declined request ends with access_denied, from this issuer', async () => {
  const server = await discovered()
  const { client, clientAuth, redirectURI } = await asClient()
  const { url, state } = await pushed(server, client, clientAuth, redirectURI)
  const answer = await new Customer(alice).decline(url)
  assert.equal(answer.searchParams.get('iss'), server.issuer)
  assert.throws(() => oauth.validateAuthResponse(server, client, answer, state), { error: 'access_denied' })
})

async function asClient() {
  const { clientID, key, redirectURI } = await budgetly()
  return { client: { client_id: clientID }, clientAuth: oauth.PrivateKeyJwt(key), redirectURI }
}

async function discovered() {
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options))
}

async function pushed(server, client, clientAuth, redirectURI, dpop) {
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const nonce = oauth.generateRandomNonce()
  const response = await oauth.pushedAuthorizationRequest(server, client, clientAuth, {
    response_type: 'code',
    redirect_uri: redirectURI,
    scope: 'openid',
    authorization_details: JSON.stringify(asked),
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  }, { DPoP: dpop, ...options })
  const { request_uri } = await oauth.processPushedAuthorizationResponse(server, client, response)
  const url = new URL(server.authorization_endpoint)
  url.search = new URLSearchParams({ client_id: client.client_id, request_uri })
  return { url, verifier, state, nonce }
}

/** Has Alice share one account, and checks state and iss of the answer (RFC 9207). */
async function answered(server, client, clientAuth, redirectURI, dpop) {
  const { url, verifier, state, nonce } = await pushed(server, client, clientAuth, redirectURI, dpop)
  const answer = await new Customer(alice).approve(url, [alice.accounts[0]])
  const other = { ...server, issuer: 'https://other.example' }
  assert.throws(() => oauth.validateAuthResponse(other, client, answer, state), /iss/)
  return { callback: oauth.validateAuthResponse(server, client, answer, state), verifier, nonce }
}

async function ownToken(server, client, clientAuth, dpop) {
  const request = oauth.clientCredentialsGrantRequest(server, client, clientAuth, {}, { DPoP: dpop, ...options })
  return (await oauth.processClientCredentialsResponse(server, client, await request)).access_token
}

function get(token, url, dpop) {
  return oauth.protectedResourceRequest(token, 'GET', new URL(url), undefined, undefined, { DPoP: dpop, ...options })
}

/** The first proof has no nonce of the resource server yet, so it is refused with one; the second is accepted. */
async function nonceDemanded(token, url, dpop) {
  await assert.rejects(get(token, url, dpop), oauth.isDPoPNonceError)
  return (await get(token, url, dpop)).json()
}

const insufficient = refused('insufficient_scope')

function refused(code) {
  return (err) => {
    assert.ok(err instanceof oauth.WWWAuthenticateChallengeError, err)
    assert.ok(err.cause.some(({ parameters }) => parameters.error === code), JSON.stringify(err.cause))
    return true
  }
}

/** What a resource server sees in the token that checks it by itself (RFC 9068). */
async function validated(server, token, dpop) {
  const url = new URL(`${resource}/accounts`)
  const headers = new Headers({ authorization: `DPoP ${token}` })
  await dpop.addProof(url, headers, 'GET', token)
  return oauth.validateJwtAccessToken(server, new Request(url, { headers }), resource, { requireDPoP: true, ...options })
}
