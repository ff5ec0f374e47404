// The main job with openid-client: a customer approves, the client reads,
// refreshes, and is stopped.
import assert from 'node:assert/strict'
import * as client from 'openid-client'
import { alice, bankConfiguration } from '../lib/bank.mjs'
import { Customer } from '../lib/customer.mjs'

/**
 * Runs the whole of it. `accounts` is the address of the accounts API, if there is one beside the server; `binding` is
 * DPoP or Bearer.
 */
export async function mainJob(config, { redirectURI, accounts, dpop, binding, scope }) {
  const proof = { DPoP: dpop }
  const { callback, checks } = await approved(config, { redirectURI, scope }, proof)
  const tokens = await client.authorizationCodeGrant(config, callback, checks, undefined, proof)
  assert.equal(tokens.token_type, binding.toLowerCase())

  const person = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, proof)
  assert.equal(person.sub, tokens.claims().sub)

  const first = accounts && await read(config, tokens.access_token, accounts, proof)
  assert.ok(!accounts || first.accounts.length > 0, 'the accounts that were approved are there')

  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, proof)
  assert.notEqual(refreshed.access_token, tokens.access_token)
  if (accounts) assert.deepEqual(await read(config, refreshed.access_token, accounts, proof), first)

  const bank = await bankConfiguration()
  const live = await client.tokenIntrospection(bank, refreshed.access_token)
  assert.equal(live.active, true)
  assert.equal(live.client_id, config.clientMetadata().client_id)
  assert.ok(binding === 'DPoP' ? live.cnf.jkt : live.cnf['x5t#S256'], 'the token is bound to a key')

  await client.tokenRevocation(config, refreshed.refresh_token ?? tokens.refresh_token)
  assert.deepEqual(await client.tokenIntrospection(bank, refreshed.access_token), { active: false })
  if (accounts) await assert.rejects(read(config, refreshed.access_token, accounts, proof), refusedWith('invalid_token'))
  await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token, undefined, proof), { error: 'invalid_grant' })
}

/** Has Alice approve a pushed request and returns the answer with what to check it by. */
async function approved(config, { redirectURI, scope = 'openid profile accounts offline_access' }, proof) {
  const verifier = client.randomPKCECodeVerifier()
  const checks = { pkceCodeVerifier: verifier, expectedState: client.randomState(), expectedNonce: client.randomNonce() }
  const url = await client.buildAuthorizationUrlWithPAR(config, {
    redirect_uri: redirectURI,
    scope,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
  }, proof)
  return { callback: await new Customer(alice).approve(url), checks }
}

async function read(config, token, url, proof) {
  const response = await client.fetchProtectedResource(config, token, url, 'GET', undefined, undefined, proof)
  assert.equal(response.status, 200)
  return response.json()
}

/** Matches the challenge of a protected resource. */
function refusedWith(code) {
  return (err) => {
    assert.equal(err.code, 'OAUTH_WWW_AUTHENTICATE_CHALLENGE', err)
    assert.ok(err.cause.some((challenge) => challenge.parameters.error === code), JSON.stringify(err.cause))
    return true
  }
}
