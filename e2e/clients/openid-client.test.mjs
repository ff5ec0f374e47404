// The clients of the development server, with openid-client.
import test from 'node:test'
import * as client from 'openid-client'
import { budgetly, fetchFrom, issuer, mtlsResource, payzip, resource } from '../lib/bank.mjs'
import { mainJob } from './main-job.mjs'

test('private_key_jwt and DPoP', async () => {
  const { clientID, key, redirectURI } = await budgetly()
  const config = await client.discovery(issuer, clientID, {}, client.PrivateKeyJwt(key), { [client.customFetch]: fetchFrom() })
  const dpop = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
  await mainJob(config, { redirectURI, accounts: new URL(`${resource}/accounts`), dpop, binding: 'DPoP' })
})

test('mutual TLS and tokens bound to the certificate', async () => {
  const { clientID, certificate, redirectURI } = await payzip()
  const metadata = { use_mtls_endpoint_aliases: true, tls_client_certificate_bound_access_tokens: true }
  const options = { algorithm: 'oauth2', [client.customFetch]: fetchFrom(certificate) }
  const config = await client.discovery(issuer, clientID, metadata, client.TlsClientAuth(), options)
  await mainJob(config, { redirectURI, accounts: new URL(`${mtlsResource}/accounts`), binding: 'Bearer', scope: 'openid accounts offline_access' })
})
