// Drains jobs with pg-boss and with graphile-worker, for the figures beside `cargo bench --bench queue`.
//
//   npm install --no-save pg-boss graphile-worker pg
//   node benches/peers.mjs postgres://user@host/database
//
// Each peer drains as many jobs as the bench's queue, in the way its documentation recommends for many small ones.

import { createRequire } from 'node:module'

const require = createRequire(process.cwd() + '/')
const url = process.argv[2] ?? process.env.OPSTABLES_TEST_POSTGRES
const jobs = Number(process.env.JOBS ?? 100_000)
const workers = 2

async function boss() {
  const module = require('pg-boss')
  const PgBoss = module.PgBoss ?? module.default ?? module
  const queue = new PgBoss({ connectionString: url, schema: 'peer_boss' })
  queue.on('error', (error) => console.error(error))
  await queue.start()
  await queue.createQueue('records')
  for (let from = 0; from < jobs; from += 1000) {
    const batch = Array.from({ length: 1000 }, (_, i) => ({ name: 'records', data: { row: from + i } }))
    await (queue.insert.length >= 2 ? queue.insert('records', batch.map(({ data }) => ({ data }))) : queue.insert(batch))
  }
  const began = performance.now()
  const drain = async () => {
    for (;;) {
      const taken = await queue.fetch('records', { batchSize: 1000 })
      if (!taken || taken.length === 0) return
      await queue.complete('records', taken.map((job) => job.id))
    }
  }
  await Promise.all(Array.from({ length: workers }, drain))
  report('pg-boss', performance.now() - began)
  await queue.stop({ graceful: false })
}

async function graphile() {
  const { Logger, run, makeWorkerUtils } = require('graphile-worker')
  // A line a job would cost more than the job.
  const logger = new Logger(() => () => {})
  const schema = 'peer_graphile'
  const utils = await makeWorkerUtils({ connectionString: url, schema, logger })
  await utils.migrate()
  await utils.withPgClient((client) =>
    client.query(
      `select ${schema}.add_job('record', json_build_object('row', n)) from generate_series(1, $1) n`,
      [jobs],
    ),
  )
  let left = jobs
  let done
  const drained = new Promise((resolve) => (done = resolve))
  const began = performance.now()
  const runner = await run({
    connectionString: url,
    schema,
    concurrency: 24,
    logger,
    noHandleSignals: true,
    pollInterval: 100,
    preset: { worker: { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0, maxPoolSize: 10 } },
    taskList: {
      record: () => {
        left -= 1
        if (left === 0) done()
      },
    },
  })
  await drained
  report('graphile-worker', performance.now() - began)
  await runner.stop()
  await utils.release()
}

function report(name, ms) {
  console.log(`  ${name} drained at ${Math.round(jobs / (ms / 1000))} jobs/s`)
}

await boss()
await graphile()
process.exit(0)
