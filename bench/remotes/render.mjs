import { pairwiseRatios } from '../compare/statistics.mjs'

const MB = 1e6

export function renderPage(results, { machine, rclone }) {
  const sections = results.map(({ server, name, rows }) => renderers[name](server, rows))
  return `# Benchmarks of remotes

Varve beside rclone, on the same S3 server on the same machine, which both share with it. Ratios are medians over pairs of
neighbouring runs, with their range. This page is written by the program that measures:

\`\`\`sh
npm run build && .ci/servers/run node bench/remotes/main.mjs
\`\`\`

- Machine: ${machine}
- ${rclone}

${sections.join('\n')}`
}

const renderers = {
  small(server, rows) {
    const [first] = rows
    const requests = requestsOf(first.push)
    return `## 20,000 small files, ${server}

| | seconds | beside | ratio | aim |
| --- | --- | --- | --- | --- |
${row('push', rows, 'push', 'tar', 'rclone copies one tar of them', '1.5')}
${row('push', [first], 'push', 'files', 'rclone copies the files', '')}
${row('pull', rows, 'pull', 'back', 'rclone copies the tar back', '')}

The push made ${requests.total} requests of a remote (${requests.text}), the pull ${requestsOf(first.pull).total}.
`
  },
  large(server, rows) {
    const most = (what) => Math.max(...rows.map((one) => one[what].peakMB))
    return `## 4 GiB in one file, ${server}

| | seconds | beside | ratio | aim |
| --- | --- | --- | --- | --- |
${row('push', rows, 'push', 'rclone', 'rclone copy', '1.2')}
${row('pull', rows, 'pull', 'back', 'rclone copy back', '1.2')}
${row('pull --no-store', rows, 'streamed', 'back', 'rclone copy back', '1.2')}

Peak memory: push ${most('push')} MB, pull ${most('pull')} MB, pull --no-store ${most('streamed')} MB (aim 400); rclone ${most('rclone')} and ${most('back')} MB.
`
  },
  part(server, [{ pull, files, wantedBytes }]) {
    const { bytesRead } = pull.requests
    const dataBytes = pull.result.fetched.bytes
    const total = requestsOf(pull)
    return `## One directory of ${files} files out of 100,000, ${server}

| | | aim |
| --- | --- | --- |
| wanted | ${(wantedBytes / MB).toFixed(2)} MB | |
| data read | ${(dataBytes / MB).toFixed(2)} MB, ${(dataBytes / wantedBytes).toFixed(1)}x | 3x |
| metadata read | ${((bytesRead - dataBytes) / MB).toFixed(2)} MB | |
| requests | ${total.total} (${total.text}) | 30 |
| seconds | ${pull.seconds} | |
`
  },
}

function row(what, rows, ours, theirs, beside, aim) {
  const ratios = pairwiseRatios(
    rows.map((one) => one[ours].seconds),
    rows.map((one) => one[theirs].seconds),
  )
  const range = ratios.pairs > 1 ? ` (${ratios.least.toFixed(2)} to ${ratios.most.toFixed(2)})` : ''
  const seconds = (key) => rows.map((one) => one[key].seconds.toFixed(2)).join(', ')
  return `| ${what} | ${seconds(ours)} | ${beside}: ${seconds(theirs)} | ${ratios.median.toFixed(2)}x${range} | ${aim === '' ? '' : `${aim}x`} |`
}

function requestsOf({ requests }) {
  const { bytesRead, bytesWritten, ...verbs } = requests
  const used = Object.entries(verbs).filter(([, count]) => count > 0)
  return {
    total: used.reduce((sum, [, count]) => sum + count, 0),
    text: used.map(([verb, count]) => `${count} ${verb}`).join(', '),
  }
}
