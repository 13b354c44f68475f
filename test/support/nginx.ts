import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { requiredServer } from './required-server.ts'

export type WebServer = { url: string; port: number; stop: () => Promise<void> }

const FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin', ...(process.env.PATH ?? '').split(':')]
const program = FOLDERS.map((folder) => join(folder, 'nginx')).find((path) => existsSync(path))

/** False: skip what needs it. @throws where it is missing in CI */
export const hasNginx: boolean = requiredServer('nginx', program !== undefined)

/** As it names itself: `nginx/1.22.1`. */
export function nginxVersion(): string {
  if (program === undefined) return 'nginx'
  // It answers on the error stream.
  return execFileSync('sh', ['-c', '"$0" -v 2>&1', program], { encoding: 'utf8' }).trim().replace(/^.*: /, '')
}

/**
 * A real web server on loopback that shows `folder`, with everything of its own in a temporary folder. `directives` are
 * added to its one location.
 */
export async function startNginx(folder: string, options: { directives?: string } = {}): Promise<WebServer> {
  if (program === undefined) throw new Error('nginx is not installed')
  const home = mkdtempSync(join(tmpdir(), 'varve-nginx-'))
  mkdirSync(join(home, 'logs'))
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    writeFileSync(join(home, 'nginx.conf'), configuration({ home, folder, port, ...options }))
    const child = spawn(
      program,
      ['-p', home, '-c', join(home, 'nginx.conf'), '-e', join(home, 'logs/error.log')],
      {
        stdio: 'ignore',
      },
    )
    const stop = async () => {
      await end(child)
      rmSync(home, { recursive: true, force: true })
    }
    if (await answers(child, port)) return { url: `http://127.0.0.1:${port}`, port, stop }
    await end(child)
    // The port may have been taken meanwhile.
    if (attempt === 3) throw new Error('nginx did not start')
  }
}

function configuration(options: { home: string; folder: string; port: number; directives?: string }): string {
  const { home, folder, port, directives = '' } = options
  const temporaries = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${join(home, kind)};`)
    .join('\n  ')
  // Started by root it would give its workers to a user who may not enter temporary folders.
  return `${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 2;
pid ${join(home, 'nginx.pid')};
error_log ${join(home, 'logs/error.log')} warn;
events { worker_connections 256; }
http {
  access_log off;
  ${temporaries}
  default_type application/octet-stream;
  sendfile on;
  server {
    listen 127.0.0.1:${port};
    root ${folder};
    location / { ${directives} }
  }
}
`
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** Whether it listens before it ends. */
async function answers(child: ChildProcess, port: number): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    socket.destroy()
    if (isOpen) return true
    await wait(20)
  }
  return false
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  child.kill('SIGTERM')
  await closed
}
