// What the customer meets who takes too long: at an issuer that gives her
// seconds where others give minutes.
import assert from 'node:assert/strict'
import test from 'node:test'
import { declare, issuer, newKey } from '../lib/bank.mjs'
import { asked, browse, calledBack, picture } from '../lib/browser.mjs'

const brief = new URL('/brief', issuer)
const { key, jwks } = await newKey()
const hasty = { issuer: brief, clientID: 'hasty', key }

test.before(() => declare({
  issuers: [{
    id: 'brief', url: brief.href, profile: 'fapi2-security-profile-final',
    settings: { request_uri_lifetime: '4s', interaction_lifetime: '4s' }, keys: { algorithms: ['ES256'] },
  }],
  clients: [{
    client_id: 'hasty', issuer: 'brief',
    metadata: {
      client_name: 'Hasty', redirect_uris: ['https://budgetly.example/callback'], token_endpoint_auth_method: 'private_key_jwt',
      grant_types: ['authorization_code'], scope: 'openid', dpop_bound_access_tokens: true, jwks,
    },
  }],
}))

browse('a request that was opened too late is a page of the bank', async (page) => {
  const request = await asked({ scope: 'openid' }, hasty)
  await until(async () => (await page.goto(request.url)).status() === 400)
  await page.locator('#error').getByText('request_uri has expired').waitFor()
  await picture(page, 'expired')
})

browse('a request that was answered too late goes back to the client', async (page) => {
  const request = await asked({ scope: 'openid' }, hasty)
  await page.goto(request.url)
  const login = page.url()
  await page.locator('#login').waitFor()
  await until(async () => new URL((await page.goto(login)).url()).origin !== issuer.origin)
  const callback = await calledBack(page)
  assert.equal(callback.searchParams.get('error'), 'access_denied')
  assert.equal(callback.searchParams.get('iss'), brief.href)
})

/** Tries until it is so, for some seconds. */
async function until(holds) {
  for (const end = Date.now() + 30_000; Date.now() < end; ) if (await holds()) return
  assert.fail('it did not happen in 30 seconds')
}
