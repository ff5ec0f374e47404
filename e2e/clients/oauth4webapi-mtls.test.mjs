// Payzip with oauth4webapi: client and tokens proved by a certificate.
import assert from 'node:assert/strict'
import test from 'node:test'
import * as oauth from 'oauth4webapi'
import { alice, fetchFrom, issuer, mtlsResource, payzip, resource, selfSigned } from '../lib/bank.mjs'
import { Customer } from '../lib/customer.mjs'

test('the code flow on the mutual-TLS endpoints', async () => {
  const { clientID, certificate, redirectURI } = await payzip()
  const client = { client_id: clientID, use_mtls_endpoint_aliases: true }
  const options = { [oauth.customFetch]: fetchFrom(certificate) }
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options }))
  const verifier = oauth.generateRandomCodeVerifier()

  const response = await oauth.pushedAuthorizationRequest(server, client, oauth.TlsClientAuth(), {
    response_type: 'code', redirect_uri: redirectURI, scope: 'accounts', resource,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  }, options)
  const { request_uri } = await oauth.processPushedAuthorizationResponse(server, client, response)
  const url = new URL(server.authorization_endpoint)
  url.search = new URLSearchParams({ client_id: clientID, request_uri })

  const callback = oauth.validateAuthResponse(server, client, await new Customer(alice).approve(url))
  const redeem = () => oauth.authorizationCodeGrantRequest(server, client, oauth.TlsClientAuth(), callback, redirectURI, verifier, options)
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, await redeem())
  assert.equal(tokens.id_token, undefined, 'openid was not asked for')

  const accounts = new URL(`${mtlsResource}/accounts`)
  const read = (by) => oauth.protectedResourceRequest(tokens.access_token, 'GET', accounts, undefined, undefined, { [oauth.customFetch]: by })
  assert.equal((await read(fetchFrom(certificate))).status, 200)
  await assert.rejects(read(fetchFrom(selfSigned('thief'))), unauthorized)
  await assert.rejects(read(fetchFrom()), unauthorized)

  await assert.rejects(async () => oauth.processAuthorizationCodeResponse(server, client, await redeem()), { error: 'invalid_grant' })
  await assert.rejects(read(fetchFrom(certificate)), unauthorized, 'a code that was used twice ends its tokens')
})

test('a certificate of the same name from another authority is nobody', async () => {
  const { clientID } = await payzip()
  const client = { client_id: clientID, use_mtls_endpoint_aliases: true }
  const options = { [oauth.customFetch]: fetchFrom(selfSigned('payzip')) }
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options))
  const request = oauth.clientCredentialsGrantRequest(server, client, oauth.TlsClientAuth(), {}, options)
  await assert.rejects(async () => oauth.processClientCredentialsResponse(server, client, await request), { error: 'invalid_client' })
})

function unauthorized(err) {
  assert.equal(err.status, 401, err)
  return true
}
