// A real browser in front of the bank's pages. Every test has a fresh profile,
// and fails if the browser complained on its console about what a page did.
import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import * as client from 'openid-client'
import { chromium } from 'playwright-core'
import { budgetly, fetchFrom, issuer, resource, selfSigned } from './bank.mjs'

const flags = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
]
const screenshots = process.env.E2E_SCREENSHOTS
const { clientID, key, redirectURI } = await budgetly()
const ours = { issuer, clientID, key }
let browser, site

test.before(async () => {
  site = createServer(selfSigned('budgetly'), (_, response) => {
    response.setHeader('content-type', 'text/html')
    response.end('<!doctype html><html lang="en"><title>Budgetly</title><link rel="icon" href="data:,"><p id="submission_complete">Back at Budgetly</p>')
  })
  await new Promise((listening) => site.listen(0, '127.0.0.1', listening))
  const rules = `MAP ${new URL(redirectURI).hostname} 127.0.0.1:${site.address().port}`
  const executablePath = process.env.E2E_CHROMIUM ?? '/usr/bin/chromium'
  browser = await chromium.launch({ executablePath, args: [...flags, `--host-resolver-rules=${rules}`] })
})

test.after(async () => {
  await browser.close()
  site.closeAllConnections()
  site.close()
})

/**
 * Declares a test that gets a browser context of its own, and others that have
 * nothing in common with it by calling another.
 */
export function browse(title, run, options = {}) {
  test(title, async (t) => {
    const contexts = []
    const complaints = []
    const note = (text) => complaints.push(text) && t.diagnostic(text)
    const open = async () => {
      const context = await browser.newContext({ ignoreHTTPSErrors: true, reducedMotion: 'reduce', ...options })
      contexts.push(context)
      context.setDefaultTimeout(15_000)
      context.on('console', (m) => expected(m) || note(`${m.type()}: ${m.text()}`))
      context.on('weberror', (e) => note(String(e.error())))
      return context
    }
    try {
      const context = await open()
      await run(await context.newPage(), context, open)
      assert.deepEqual(complaints, [])
    } finally {
      for (const context of contexts) await context.close()
    }
  })
}

/** Chromium notes each answer of 4xx on the console, which the tests look at themselves, and gives advice. */
function expected(message) {
  return message.type() === 'verbose' || message.text().startsWith('Failed to load resource: the server responded with a status of 4')
}

/** Has Budgetly, or another, push a request, and returns its address and how to trade the answer for a token. */
export async function asked(parameters = {}, by = ours) {
  const authentication = client.PrivateKeyJwt(by.key)
  const config = await client.discovery(by.issuer, by.clientID, {}, authentication, { [client.customFetch]: fetchFrom() })
  const proof = { DPoP: client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256')) }
  const checks = { pkceCodeVerifier: client.randomPKCECodeVerifier(), expectedState: client.randomState() }
  const url = await client.buildAuthorizationUrlWithPAR(config, {
    redirect_uri: redirectURI, scope: 'accounts', state: checks.expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier), code_challenge_method: 'S256', ...parameters,
  }, proof)
  return {
    url: url.href,
    redeem: (callback) => client.authorizationCodeGrant(config, new URL(callback), checks, undefined, proof),
    read: (tokens) => client.fetchProtectedResource(config, tokens.access_token, new URL(`${resource}/accounts`), 'GET', undefined, undefined, proof),
  }
}

/** Waits until the browser is back at Budgetly, and returns with what. */
export async function calledBack(page) {
  await page.waitForURL((url) => url.href.startsWith(redirectURI))
  await page.locator('#submission_complete').waitFor()
  return new URL(page.url())
}

export async function signIn(page, { user, password }) {
  await page.locator('#user').fill(user)
  await page.locator('#password').fill(password)
  await page.locator('#login').click()
}

/** Keeps a picture of the page if somebody wants to look at it. */
export async function picture(page, name) {
  if (!screenshots) return
  mkdirSync(screenshots, { recursive: true })
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true })
}
