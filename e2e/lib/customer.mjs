// A customer who answers the bank's pages without a browser: she reads forms
// by the fixed ids of their controls and sends them as a browser would.
import assert from 'node:assert/strict'
import { parse } from 'node-html-parser'
import { CookieJar } from 'tough-cookie'
import { fetchFrom, issuer } from './bank.mjs'

export class Customer {
  #cookies = new CookieJar()
  #fetch = fetchFrom()

  constructor({ user, password }) {
    this.user = user
    this.password = password
  }

  /** Signs in, approves what is asked (all accounts, or the named ones) and returns where the client is called back. */
  async approve(url, accounts) {
    const consent = await this.#signedIn(url)
    for (const box of consent.root.querySelectorAll('input[type=checkbox][name=account]')) {
      if (!accounts || accounts.includes(box.getAttribute('value'))) box.setAttribute('checked', '')
      else box.removeAttribute('checked')
    }
    return this.#press(consent, 'approve')
  }

  /** Signs in and declines. */
  async decline(url) {
    return this.#press(await this.#signedIn(url), 'cancel')
  }

  /** Stops what she shared last, from her own page. */
  async stop() {
    const list = await this.#get(`${issuer.href}/my/consents`)
    const detail = await this.#follow(list, list.root.querySelectorAll('a').find((a) => a.structuredText.trim().startsWith('See or stop')))
    const question = await this.#follow(detail, detail.root.querySelector('a#revoke'))
    await this.#press(question, 'revoke')
  }

  #follow({ url, root }, link) {
    assert.ok(link, `${url} has not the link:\n${root.structuredText}`)
    return this.#get(new URL(link.getAttribute('href'), url))
  }

  async #signedIn(url) {
    const page = await this.#get(url)
    if (!page.root.querySelector('#login')) return page
    page.root.querySelector('#user').setAttribute('value', this.user)
    page.root.querySelector('#password').setAttribute('value', this.password)
    return this.#press(page, 'login')
  }

  #press({ url, root }, id) {
    const button = root.querySelector(`#${id}`)
    assert.ok(button, `${url} has no control with the id ${id}:\n${root.structuredText}`)
    const form = button.closest('form')
    const fields = form.querySelectorAll('input[name]').filter(sent)
    const body = new URLSearchParams(fields.map((f) => [f.getAttribute('name'), f.getAttribute('value') ?? '']))
    if (button.getAttribute('name')) body.append(button.getAttribute('name'), button.getAttribute('value') ?? '')
    const action = button.getAttribute('formaction') ?? form.getAttribute('action') ?? url
    return this.#get(new URL(action, url), { method: 'POST', body })
  }

  /** Follows redirects up to a page of the bank, or to the first address elsewhere. */
  async #get(url, request = {}) {
    url = new URL(url)
    const cookie = await this.#cookies.getCookieString(url.href)
    const response = await this.#fetch(url, { ...request, headers: cookie ? { cookie } : {}, redirect: 'manual' })
    for (const c of response.headers.getSetCookie()) await this.#cookies.setCookie(c, url.href)
    if (response.status === 303) {
      const next = new URL(response.headers.get('location'), url)
      return next.origin === issuer.origin && next.pathname.startsWith(issuer.pathname) ? this.#get(next) : next
    }
    const root = parse(await response.text())
    assert.equal(response.status, 200, `${url}: ${root.structuredText}`)
    return { url, root }
  }
}

/** Whether an input takes part in its form. */
function sent(input) {
  const type = input.getAttribute('type')
  return !['submit', 'button'].includes(type) && (!['checkbox', 'radio'].includes(type) || input.hasAttribute('checked'))
}
