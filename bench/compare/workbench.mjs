import fs from 'node:fs'
import path from 'node:path'
import { measure } from './measure.mjs'

const untimedMs = 30 * 60_000
/** Another number for each command, of whatever workbench. */
let stamp = 1_600_000_000

/**
 * The folder in which one tool does its work: `workspace` with the data, and whatever its lines of shell make beside
 * it. Commands get the folders of the data as DATA and EDITED, and in STAMP another number each time.
 */
export class Workbench {
  #env
  #trash
  #checked = new Set()

  /** `trash` is the folder into which goes what is of no use any more; the caller empties it. */
  constructor(tool, { folder, trash, env }) {
    this.tool = tool
    this.folder = path.join(folder, tool.name)
    this.#trash = trash
    this.#env = { ...env, TRASH: trash }
  }

  async open() {
    fs.mkdirSync(this.folder, { recursive: true })
    if (this.tool.readsOnly) return
    await this.prepare('mkdir workspace && cp -a "$DATA" workspace/data')
    await this.prepare(this.tool.begin)
  }

  async close() {
    fs.renameSync(this.folder, fs.mkdtempSync(path.join(this.#trash, 'workbench-')))
  }

  async edit(step) {
    if (!this.tool.readsOnly) await this.prepare(step.edit)
  }

  can(step) {
    return this.tool[step.key] !== undefined
  }

  /** Runs a step; gives what it took, and what it added to the folder that it weighs. */
  async run(step, { timeoutMs }) {
    if (!this.tool.readsOnly) await this.prepare(step.before)
    const weighed = this.tool[step.weighs]
    const before = weighed && weigh(path.join(this.folder, weighed))
    // So that nobody pays for what another left to be written.
    await this.prepare('sync')
    const { seconds, peakMB } = await this.#shell(this.tool[step.key], timeoutMs)
    const after = weighed && weigh(path.join(this.folder, weighed))
    if (step.settles) await this.prepare(this.tool.settle)
    if (step.makes && !this.tool.readsOnly && !this.#checked.has(step.key)) {
      await this.prepare(`diff -r "$DATA" ${step.makes}`)
      this.#checked.add(step.key)
    }
    await this.prepare(step.after)
    return {
      seconds,
      peakMB,
      ...(weighed && { newBytes: after.bytes - before.bytes, newFiles: after.files - before.files }),
    }
  }

  /** Runs a line that nobody measures, if there is one. */
  async prepare(script) {
    if (script !== undefined) await this.#shell(script, untimedMs)
  }

  #shell(script, timeoutMs) {
    const env = { ...this.#env, STAMP: String(stamp++) }
    return measure(script, { cwd: this.folder, env, timeoutMs })
  }
}

function weigh(folder) {
  const total = { bytes: 0, files: 0 }
  const folders = fs.existsSync(folder) ? [folder] : []
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    for (const entry of fs.readdirSync(at, { withFileTypes: true })) {
      const inner = path.join(at, entry.name)
      if (entry.isDirectory()) folders.push(inner)
      if (!entry.isFile()) continue
      total.bytes += fs.lstatSync(inner).size
      total.files++
    }
  }
  return total
}
