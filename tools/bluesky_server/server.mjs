// A network of the AT Protocol: directory of identities, data server (PDS) with its login and
// consent pages, and AppView. Started by tools/bluesky.py with one argument, JSON:
//   ports: {plc, pds, appview}, postgres: URL of an empty database, folder, ready: file to write,
//   people: names of accounts to make
// When all of it answers, `ready` is written: addresses and accounts, as JSON. Loopback only. There
// is no service for direct messages: it is not public software.
import fs from 'node:fs'
import net from 'node:net'
import * as env from '@atproto/dev-env'

const options = JSON.parse(process.argv[2])
const { ports, people } = options
process.env.TMPDIR = options.folder // where the servers keep their data

// They would listen on all interfaces.
const { listen } = net.Server.prototype
net.Server.prototype.listen = function (port, ...rest) {
  const asked = typeof port === 'object' && port !== null ? port : { port: Number(port) }
  const callbacks = rest.filter((argument) => typeof argument === 'function')
  return listen.call(this, asked.path ? asked : { ...asked, host: '127.0.0.1' }, ...callbacks)
}

const closers = []
let stopping = false
const stop = async (code) => {
  if (stopping) return
  stopping = true
  setTimeout(() => process.exit(code), 5000).unref()
  for (const close of closers.reverse()) await Promise.resolve().then(close).catch(console.error)
  process.exit(code)
}
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => stop(0))

async function serve() {
  const plc = await env.TestPlc.create({ port: ports.plc })
  closers.push(() => plc.close())
  const database = options.postgres
  const bsync = await env.TestBsync.create({ apiKeys: ['bsync'], dbUrl: database, dbSchema: 'bsync' })
  closers.push(() => bsync.service.destroy())
  const appview = await env.TestBsky.create({
    port: ports.appview,
    publicUrl: `http://localhost:${ports.appview}`,
    plcUrl: plc.url,
    pdsPort: ports.pds,
    repoProvider: `ws://localhost:${ports.pds}`,
    bsyncUrl: bsync.url,
    bsyncApiKey: 'bsync',
    dbPostgresUrl: database,
    dbPostgresSchema: 'appview',
  })
  closers.push(() => appview.close())
  bsync.ctx.dataplaneClients = [appview.ctx.dataplane]
  const pds = await env.TestPds.create({
    port: ports.pds,
    hostname: 'localhost',
    didPlcUrl: plc.url,
    bskyAppViewUrl: appview.url,
    bskyAppViewDid: appview.ctx.cfg.serverDid,
    enableDidDocWithSession: true,
    rateLimitsEnabled: false,
  })
  closers.push(() => pds.close())
  env.mockNetworkUtilities(pds, appview) // handles under .test are asked of the data server

  const accounts = await Promise.all(people.map((name) => makeAccount(pds, name)))
  await pds.processAll()
  await appview.sub.processAll()
  const told = { url: pds.url, appview: appview.url, plc: plc.url, accounts }
  fs.writeFileSync(`${options.ready}.new`, JSON.stringify(told))
  fs.renameSync(`${options.ready}.new`, options.ready)
}

async function makeAccount(pds, name) {
  const agent = pds.getAgent()
  const account = { login: name, handle: `${name}.test`, password: `password of ${name}` }
  await agent.createAccount({
    handle: account.handle,
    email: `${name}@mail.test`,
    password: account.password,
  })
  const collection = 'app.bsky.actor.profile'
  await agent.com.atproto.repo.putRecord({
    repo: agent.assertDid,
    collection,
    rkey: 'self',
    record: {
      $type: collection,
      displayName: name[0].toUpperCase() + name.slice(1),
      createdAt: new Date().toISOString(),
    },
  })
  return { ...account, did: agent.assertDid }
}

serve().catch((error) => {
  console.error(error)
  stop(1)
})
