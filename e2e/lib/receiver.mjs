// The endpoint in Python to which tokens are pushed.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { ciba } from './till.mjs'

const { E2E_FOLDER, E2E_NOTIFY_PORT } = process.env
const program = fileURLToPath(new URL('../receiver/push.py', import.meta.url))

const patience = 60_000 // milliseconds until the next call

export const path = '/payzip-push/notifications'

/**
 * Starts the endpoint. It is told what was asked, says what it made of each
 * call, and ends.
 */
export function receive() {
  const kept = (name) => join(E2E_FOLDER, name)
  const receiver = spawn('python3', [
    '-B', program, '--port', E2E_NOTIFY_PORT, '--path', path, '--cert', kept('notify.pem'), '--key', kept('notify.key'),
    '--ca', kept('ca.pem'), '--issuer', ciba.href,
  ], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(receiver, 'exit')
  const lines = createInterface({ input: receiver.stdout })[Symbol.asyncIterator]()
  const heard = async () => {
    const late = setTimeout(() => receiver.kill(), patience)
    const { value, done } = await lines.next()
    clearTimeout(late)
    if (done) throw new Error('the receiver has ended')
    return JSON.parse(value)
  }
  return {
    heard,
    expect: (request) => { receiver.stdin.write(`${JSON.stringify(request)}\n`); return heard() },
    end: () => { receiver.stdin.end(); return ended },
  }
}
