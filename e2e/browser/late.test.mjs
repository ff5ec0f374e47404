// A phone page of nodes that learn of requests one after the other.
import assert from 'node:assert/strict'
import { alice } from '../lib/bank.mjs'
import { browse } from '../lib/browser.mjs'
import { answer, ask, openNewest, phone, pickUp } from '../lib/phone.mjs'

browse('a page that is served by a node that learns late is fetched until it lists what it was told of', async (hand, context, another) => {
  await pickUp(hand, alice)
  const before = await hand.locator('.requests li').count()
  const old = await (await context.request.get(phone)).text()
  let late = 3
  await hand.route(phone, (route) => late-- > 0 ? route.fulfill({ contentType: 'text/html; charset=utf-8', body: old }) : route.continue())
  await ask(await (await another()).newPage(), { customer: alice })
  await hand.locator('.requests li').nth(before).waitFor()
  assert.equal(late, -1)
  await openNewest(hand)
  await answer(hand, 'deny', alice)
})
