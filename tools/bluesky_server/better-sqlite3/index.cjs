const { DatabaseSync } = require('node:sqlite')

const asBuffers = (row) => {
  for (const name in row) {
    if (row[name] instanceof Uint8Array) row[name] = Buffer.from(row[name])
  }
  return row
}

class Statement {
  constructor(statement) {
    this.statement = statement
    this.reader = statement.columns().length > 0
  }

  all(...params) {
    return this.statement.all(...params.flat()).map(asBuffers)
  }

  get(...params) {
    return asBuffers(this.statement.get(...params.flat()))
  }

  run(...params) {
    return this.statement.run(...params.flat())
  }

  *iterate(...params) {
    for (const row of this.statement.iterate(...params.flat())) yield asBuffers(row)
  }
}

module.exports = class Database {
  constructor(location, options = {}) {
    this.database = new DatabaseSync(location || ':memory:', { readOnly: options.readonly })
  }

  prepare(sql) {
    return new Statement(this.database.prepare(sql))
  }

  pragma(text) {
    return this.prepare(`PRAGMA ${text}`).all()
  }

  exec(sql) {
    this.database.exec(sql)
    return this
  }

  close() {
    this.database.close()
  }
}
